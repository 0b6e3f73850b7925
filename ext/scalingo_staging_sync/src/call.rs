//! One call of the engine: its own thread and runtime, its events handed to a Ruby block, its interruption.
//!
//! The runtime is built inside the call and dropped with it, because one that lived in a static would be
//! dead after a fork. The Ruby thread waits without the GVL; the engine's thread never touches Ruby.
//!
//! The first interrupt asks the engine to stop, which leaves the target in order and takes it a second at most. The
//! second one ends the call at once: the engine's thread drops its connections behind the caller's back.

use crate::{convert, errors, gvl, panics, words};
use magnus::{block::Proc, Error, Ruby, Value};
use serde::Serialize;
use staging_sync_engine::error::{Error as EngineError, Kind, Result as EngineResult};
use staging_sync_engine::event::{Event, Matched, Sink};
use staging_sync_engine::failure::{JobFailure, JobRemedy};
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the Ruby thread waits for a message before it takes the events that have come and looks at its interrupts.
const TICK: Duration = Duration::from_millis(100);

/// How long tasks that are still open at the end (sockets, the download) may take to close.
const CLOSING: Duration = Duration::from_millis(500);

/// Events that the Ruby thread has not taken yet. Those of which thousands may come in a second do not wake it: it takes
/// them at its next tick, or with the next event.
type Events = Arc<Mutex<Vec<Event>>>;

/// How the Ruby thread stops the engine's.
#[derive(Clone, Default)]
struct Stop {
    /// Leave the target in order and end.
    cancel: CancellationToken,
    /// Drop every connection and end.
    abort: CancellationToken,
}

/// The engine's result on its way to Ruby. It and the work are boxed so that one loop can wait for any call.
type Answer = Box<dyn FnOnce(&Ruby) -> Result<Value, Error> + Send>;
type Work =
    Box<dyn FnOnce(Sink, CancellationToken) -> Pin<Box<dyn Future<Output = EngineResult<Answer>>>> + Send>;

/// What the engine's thread sends the Ruby thread; the events that it has sent before come first.
enum Message {
    /// Which of these columns do the configured patterns match? The answer goes to the sender; where it is dropped,
    /// there is none.
    Columns(Vec<(String, String)>, Sender<Vec<Matched>>),
    Done(EngineResult<Answer>),
    /// There are events that should not wait, or Ruby wants its thread back.
    Wake,
}

/// Whether an event may wait for the next tick.
fn can_wait(event: &Event) -> bool {
    matches!(
        event,
        Event::TableStarted { .. }
            | Event::TableProgress { .. }
            | Event::TableLoaded { .. }
            | Event::StepDone { .. }
            | Event::Downloaded { .. }
    )
}

/// Runs `work` on a thread and a runtime of its own, and returns its result as a Ruby value.
///
/// `work` receives where events go and a token that is cancelled when the Ruby thread is interrupted or the
/// block raises; it must then end within a second. Each event is given to `block` on the Ruby thread.
///
/// # Errors
/// The engine's error as its documented class; what the block raised; the interrupt, of several the last, as Ruby does
/// where an `ensure` is interrupted.
pub(crate) fn run<T, F, W>(ruby: &Ruby, block: Option<Proc>, work: W) -> Result<Value, Error>
where
    T: Serialize + Send + 'static,
    F: Future<Output = EngineResult<T>> + 'static,
    W: FnOnce(Sink, CancellationToken) -> F + Send + 'static,
{
    run_boxed(
        ruby,
        block,
        Box::new(|sink, cancel| {
            let future = work(sink, cancel);
            Box::pin(async {
                let value = future.await?;
                Ok(Box::new(move |ruby: &Ruby| words::of(ruby, "result", &value)) as Answer)
            })
        }),
    )
}

fn run_boxed(ruby: &Ruby, block: Option<Proc>, work: Work) -> Result<Value, Error> {
    let (sender, messages) = channel();
    let stop = Stop::default();
    let events = Events::default();
    let thread = spawn(work, Arc::clone(&events), sender.clone(), stop.clone())
        .map_err(|error| errors::to_ruby(ruby, &cannot_start(&error)))?;
    let wake = move || {
        // The receiver is gone when the call is over.
        let _ = sender.send(Message::Wake);
    };

    let mut raised: Option<Error> = None;
    // What Rails took to load.
    gvl::give_back_memory();
    let outcome = loop {
        let message = gvl::without_gvl(|| messages.recv_timeout(TICK), &wake);
        let came = take(&events);
        if raised.is_none() {
            raised = deliver_all(ruby, block, &came).err();
        }
        match message {
            Some(Ok(Message::Done(result))) => break result,
            Some(Ok(Message::Columns(columns, reply))) if raised.is_none() => {
                match ask(ruby, block, columns) {
                    // The engine's thread may have ended meanwhile.
                    Ok(answer) => drop(answer.map(|answer| reply.send(answer))),
                    Err(error) => raised = Some(error),
                }
            }
            Some(Err(RecvTimeoutError::Disconnected)) => {
                break Err(EngineError::internal(
                    "The engine's thread ended without a result.",
                ))
            }
            _ => {}
        }
        // Also where the engine is about to end: an interrupt that stays pending makes each wait return at once.
        if let Err(interrupt) = ruby.thread_check_ints() {
            if stop.cancel.is_cancelled() {
                stop.abort.cancel();
                return Err(interrupt);
            }
            raised = Some(interrupt);
        }
        if raised.is_some() {
            stop.cancel.cancel();
        }
    };
    // It has sent its last message, so this takes no time; one more interrupt need not wait even for that.
    let mut thread = Some(thread);
    gvl::without_gvl(|| thread.take().map(std::thread::JoinHandle::join), &|| ());
    gvl::give_back_memory();

    match (raised, outcome) {
        (Some(raised), _) => Err(raised),
        (None, Ok(answer)) => answer(ruby),
        (None, Err(error)) => Err(errors::to_ruby(ruby, &error)),
    }
}

/// The events that have come. A phase that begins has left what the one before it took.
fn take(events: &Events) -> Vec<Event> {
    let came = std::mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner));
    if came.iter().any(|event| matches!(event, Event::Phase { .. })) {
        gvl::give_back_memory();
    }
    came
}

/// Starts the engine's thread. A panic in it becomes an [`EngineError`].
fn spawn(
    work: Work,
    events: Events,
    sender: Sender<Message>,
    stop: Stop,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let (waking, questions) = (sender.clone(), sender.clone());
    let thread = std::thread::Builder::new().name(panics::THREAD_NAME.to_owned());
    thread.spawn(move || {
        let sink = Sink::new(move |event| {
            let wakes = !can_wait(&event);
            events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
            if wakes {
                // The receiver is gone when the call is over.
                let _ = waking.send(Message::Wake);
            }
        })
        .answering(move |columns| {
            let (reply, answer) = channel();
            questions.send(Message::Columns(columns, reply)).ok()?;
            answer.recv().ok()
        });
        let result = catch_unwind(AssertUnwindSafe(|| {
            // Lanes mask on these threads, one piece of rows between two waits for their sockets: that a lane keeps a thread
            // so long delays no other session's answer by more than a piece, which is half a millisecond with nineteen columns
            // masked (bench/micro). The reader, which decompresses, has a thread of its own.
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .thread_name(panics::THREAD_NAME)
                .build()
                .map_err(|error| cannot_start(&error))?;
            let Stop { cancel, abort } = stop;
            let result = runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = abort.cancelled() => Err(EngineError::interrupted()),
                    result = work(sink, cancel) => result,
                }
            });
            if abort.is_cancelled() {
                runtime.shutdown_background();
            } else {
                runtime.shutdown_timeout(CLOSING);
            }
            result
        }))
        .unwrap_or_else(|_| {
            let place = panics::take_place();
            Err(EngineError::internal(format!("The engine panicked at {place}.")))
        });
        let _ = sender.send(Message::Done(result));
    })
}

fn cannot_start(error: &std::io::Error) -> EngineError {
    EngineError::new(
        Kind::Internal,
        JobFailure::NoThreads {
            trouble: error.to_string(),
        },
        JobRemedy::LookAtLimits,
    )
}

/// What the block is given to answer.
#[derive(Serialize)]
struct Question {
    event: &'static str,
    columns: Vec<(String, String)>,
}

/// Asks the block which columns the configured patterns match: the event `columns`, whose answer is what it returns.
fn ask(
    ruby: &Ruby,
    block: Option<Proc>,
    columns: Vec<(String, String)>,
) -> Result<Option<Vec<Matched>>, Error> {
    let Some(block) = block else { return Ok(None) };
    let question = Question {
        event: "columns",
        columns,
    };
    let answer: Value = block.call((convert::to_hash(ruby, &question)?,))?;
    convert::settings(ruby, answer).map(Some)
}

/// Gives events to the block, if there is one, until it or a signal raises.
fn deliver_all(ruby: &Ruby, block: Option<Proc>, events: &[Event]) -> Result<(), Error> {
    let Some(block) = block else { return Ok(()) };
    for event in events {
        let hash = match event {
            Event::Warning { .. } => words::of(ruby, "event", event)?,
            _ => convert::to_hash(ruby, event)?,
        };
        block.call::<_, Value>((hash,))?;
        ruby.thread_check_ints()?;
    }
    Ok(())
}
