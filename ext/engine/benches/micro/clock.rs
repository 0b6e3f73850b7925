//! Criterion measured by the time that this thread has spent on a processor, so that a busy machine does not count.

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::Throughput;
use std::time::{Duration, Instant};

/// Time on a processor where Linux tells it (`/proc/thread-self/schedstat`), else the time that passes.
pub struct Processor;

/// A point of that time.
#[derive(Clone, Copy)]
pub enum Point {
    /// Nanoseconds on a processor since the thread began.
    Spent(Duration),
    /// A moment.
    Moment(Instant),
}

/// Now.
pub fn now() -> Point {
    let spent = || {
        let line = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        line.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    };
    spent().map_or_else(|| Point::Moment(Instant::now()), Point::Spent)
}

/// How much has passed since.
pub fn since(before: Point) -> Duration {
    match (before, now()) {
        (Point::Spent(before), Point::Spent(after)) => after.saturating_sub(before),
        (Point::Moment(before), _) => before.elapsed(),
        _ => Duration::ZERO,
    }
}

impl Measurement for Processor {
    type Intermediate = Point;
    type Value = Duration;

    fn start(&self) -> Point {
        now()
    }

    fn end(&self, before: Point) -> Duration {
        since(before)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Formatter
    }
}

struct Formatter;

impl Formatter {
    fn scale(values: &mut [f64], by: impl Fn(f64) -> f64) {
        values.iter_mut().for_each(|value| *value = by(*value));
    }
}

impl ValueFormatter for Formatter {
    fn scale_values(&self, _typical: f64, values: &mut [f64]) -> &'static str {
        Self::scale(values, |nanoseconds| nanoseconds / 1e6);
        "ms"
    }

    fn scale_throughputs(&self, _typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        match *throughput {
            Throughput::Bytes(bytes) | Throughput::BytesDecimal(bytes) => {
                Self::scale(values, |nanoseconds| bytes as f64 * 1e3 / nanoseconds);
                "MB/s"
            }
            Throughput::Elements(rows) => {
                Self::scale(values, |nanoseconds| rows as f64 * 1e9 / nanoseconds);
                "rows/s"
            }
            _ => "",
        }
    }

    fn scale_for_machines(&self, _values: &mut [f64]) -> &'static str {
        "ns"
    }
}
