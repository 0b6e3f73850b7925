//! Waiting without the GVL, and what is done while nothing holds it: the one file of the gem with `unsafe` in it.
//!
//! The engine works on threads of its own; the Ruby thread that called it only waits for its messages, a
//! tenth of a second at a time, and must let other Ruby threads run meanwhile and hear of signals at once.
//! Ruby's rule (`include/ruby/thread.h`, `rb_nogvl`): with an unblock function and `RB_NOGVL_INTR_FAIL` the
//! call returns as soon as an interrupt is pending instead of running it, so that nothing jumps over Rust
//! frames and destructors run; the caller then asks `Ruby::thread_check_ints`, which hands the interrupt
//! back as a value.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// What the two functions below share: the work, where its result goes, and how it is woken.
struct Call<'a, T> {
    work: Option<&'a mut dyn FnMut() -> T>,
    result: Option<std::thread::Result<T>>,
}

extern "C" fn run<T>(data: *mut c_void) -> *mut c_void {
    // SAFETY: `data` is the `Call<T>` on the stack of `without_gvl`, which is waiting for this function and
    // touches it no more until then.
    let call = unsafe { &mut *data.cast::<Call<'_, T>>() };
    if let Some(work) = call.work.take() {
        // A panic must not unwind into Ruby's C frames: it is carried back as a value.
        call.result = Some(catch_unwind(AssertUnwindSafe(work)));
    }
    std::ptr::null_mut()
}

extern "C" fn unblock<W: Fn()>(data: *mut c_void) {
    // SAFETY: `data` is the `wake` closure borrowed by `without_gvl`, which outlives the call. Ruby may call
    // this from another thread, hence `Sync` there.
    let wake = unsafe { &*data.cast::<W>() };
    // A panic here has nowhere to go; a wake that did not happen costs a tenth of a second.
    let _ = catch_unwind(AssertUnwindSafe(wake));
}

/// Runs `work` without the GVL. Returns `None` when an interrupt was pending and `work` was not started.
///
/// `wake` is called, possibly from another thread, when Ruby wants the thread back: it must make `work`
/// return soon. `work` must not touch a Ruby object.
///
/// # Panics
/// Resumes a panic of `work`, on this side of Ruby's frames.
pub(crate) fn without_gvl<T, W: Fn() + Sync>(mut work: impl FnMut() -> T, wake: &W) -> Option<T> {
    let mut call: Call<'_, T> = Call {
        work: Some(&mut work),
        result: None,
    };
    // SAFETY: both data pointers outlive the call, `run` and `unblock` have the types `rb_nogvl` asks for and
    // let no panic through, and `work` is not used by this thread meanwhile.
    unsafe {
        rb_sys::rb_nogvl(
            Some(run::<T>),
            std::ptr::from_mut(&mut call).cast(),
            Some(unblock::<W>),
            std::ptr::from_ref(wake).cast_mut().cast(),
            rb_sys::RB_NOGVL_INTR_FAIL as i32,
        );
    }
    call.result
        .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// Gives memory that is free back to the system, where the allocator is one that keeps it. It takes a few milliseconds.
///
/// glibc keeps what is freed between blocks that are in use, and each thread has an area of its own: what the plan of some
/// thousand tables took would stay with its thread, and the next phase and Ruby's report would come on top of it.
pub(crate) fn give_back_memory() {
    without_gvl(trim, &|| ());
}

fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        extern "C" {
            /// `malloc.h`: releases free memory from the heap of every thread; says whether there was any.
            fn malloc_trim(pad: usize) -> std::ffi::c_int;
        }
        // SAFETY: it takes a number, asks nothing of its caller, may run beside any other thread (malloc_trim(3),
        // "ATTRIBUTES"), and touches no block that is in use.
        unsafe {
            malloc_trim(0);
        }
    }
}
