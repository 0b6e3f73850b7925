//! Progress bars on a terminal, drawn by indicatif: `ScalingoStagingSync::Native::Bars`.
//!
//! What a bar says is decided in Ruby (`Terminal::ProgressBars`); here it is only drawn. What writes to the same
//! terminal hides the bars first, or the two garble each other.

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use magnus::{function, method, prelude::*, Error, RModule, Ruby};
use std::cell::RefCell;
use std::io;

/// How often a second the terminal is written to at most.
const DRAWS: u8 = 10;

/// Standard output, whose cursor rests at the beginning of the last bar: where it is, the terminal itself writes `^C`
/// for every Ctrl-C. At the right edge, where drawing ends, that would go on in a new line, and the clearing of the
/// bars would leave their first one.
#[derive(Debug)]
struct RestingLeft(Term);

impl TermLike for RestingLeft {
    fn width(&self) -> u16 {
        self.0.width()
    }

    fn height(&self) -> u16 {
        self.0.height()
    }

    // What every drawing begins with. Where nothing was drawn, a `^C` may stand at the cursor.
    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.write_str("\r")?;
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.write_str("\r")?;
        self.0.flush()
    }
}

/// `Native::Bars`: the bars of one run, in the order in which they were first set.
#[magnus::wrap(class = "ScalingoStagingSync::Native::Bars", free_immediately)]
struct Bars(RefCell<Screen>);

struct Screen {
    all: MultiProgress,
    bars: Vec<Bar>,
    colour: bool,
    unicode: bool,
}

struct Bar {
    key: String,
    bar: ProgressBar,
    /// Columns that are filled as it proceeds; none: only a sign of life and words.
    columns: u16,
}

impl Bars {
    /// `Bars.new(colour, unicode)`: bars on standard output. Nothing is drawn where that is no terminal.
    fn new(colour: bool, unicode: bool) -> Self {
        let screen = Term::buffered_stdout();
        let target = if screen.is_term() {
            ProgressDrawTarget::term_like_with_hz(Box::new(RestingLeft(screen)), DRAWS)
        } else {
            ProgressDrawTarget::hidden()
        };
        Self(RefCell::new(Screen {
            all: MultiProgress::with_draw_target(target),
            bars: Vec::new(),
            colour,
            unicode,
        }))
    }

    /// `set(key, columns, position, length, title, message)`: draws the bar of that key; a new one comes below the
    /// others. What does not fit into the terminal's width is cut from the message.
    fn set(&self, key: String, columns: u16, position: u64, length: u64, title: String, message: String) {
        let mut screen = self.0.borrow_mut();
        let style = style(columns, screen.colour, screen.unicode);
        let known = screen.bars.iter().position(|one| one.key == key);
        let index = known.unwrap_or_else(|| {
            let bar = screen.all.add(ProgressBar::new(length));
            bar.set_style(style.clone());
            screen.bars.push(Bar { key, bar, columns });
            screen.bars.len() - 1
        });
        let Some(one) = screen.bars.get_mut(index) else {
            return;
        };
        if one.columns != columns {
            one.columns = columns;
            one.bar.set_style(style);
        }
        one.bar.set_prefix(title);
        one.bar.set_message(message);
        one.bar.set_length(length);
        one.bar.set_position(position);
    }

    /// `remove(key)`: the bar of that key disappears, if there is one.
    fn remove(&self, key: String) {
        let mut screen = self.0.borrow_mut();
        let Some(index) = screen.bars.iter().position(|one| one.key == key) else {
            return;
        };
        let gone = screen.bars.remove(index);
        gone.bar.finish_and_clear();
        screen.all.remove(&gone.bar);
    }

    /// `tick`: shows that the run is alive, and draws again what was hidden.
    fn tick(&self) {
        for one in &self.0.borrow().bars {
            one.bar.tick();
        }
    }

    /// `hide`: leaves the terminal to other output until the next call.
    fn hide(&self) {
        // A terminal that is gone needs no clearing.
        let _ = self.0.borrow().all.clear();
    }
}

/// How a bar of so many columns is drawn.
fn style(columns: u16, colour: bool, unicode: bool) -> ProgressStyle {
    let (title, tint) = if colour { (":.bold", ".cyan") } else { ("", "") };
    let bar = match columns {
        0 => String::new(),
        columns => format!("{{bar:{columns}{tint}}} "),
    };
    let template = format!("{{spinner}} {{prefix{title}}} {bar}{{wide_msg}}");
    // Only a template that cannot be read fails, and a bar in the library's own style is still a bar.
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    if unicode {
        style.progress_chars("━╸─").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
    } else {
        style.progress_chars("=>-").tick_chars("|/-\\ ")
    }
}

/// Defines the class under `Native`.
pub(crate) fn define(native: RModule, ruby: &Ruby) -> Result<(), Error> {
    let class = native.define_class("Bars", ruby.class_object())?;
    class.define_singleton_method("new", function!(Bars::new, 2))?;
    class.define_method("set", method!(Bars::set, 6))?;
    class.define_method("remove", method!(Bars::remove, 1))?;
    class.define_method("tick", method!(Bars::tick, 0))?;
    class.define_method("hide", method!(Bars::hide, 0))
}
