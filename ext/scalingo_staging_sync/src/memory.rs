//! Memory that is free, given back to the system. With `gvl`, the one file of the gem with `unsafe` in it.
//!
//! glibc keeps what is freed between blocks that are in use, and each thread has an area of its own: what the plan of some
//! thousand tables took would stay with its thread, and the next phase and Ruby's report would come on top of it.
#![allow(unsafe_code)]

/// Gives back what is free, where the allocator is one that keeps it. It takes a few milliseconds.
pub(crate) fn give_back() {
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
