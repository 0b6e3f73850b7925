//! Criterion measured by the time that this thread has spent on a processor, so that a busy machine does not count.

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::Throughput;
use rustix::time::{clock_gettime, ClockId};
use std::time::Duration;

/// Time on a processor, to the nanosecond (`CLOCK_THREAD_CPUTIME_ID` of POSIX).
pub struct Processor;

/// The time that this thread has spent on a processor so far.
pub fn now() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

/// How much has passed since.
pub fn since(before: Duration) -> Duration {
    now().saturating_sub(before)
}

impl Measurement for Processor {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        now()
    }

    fn end(&self, before: Duration) -> Duration {
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
