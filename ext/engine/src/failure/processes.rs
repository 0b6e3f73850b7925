//! Processes of the server that are in the way.

use phrases::phrases;

phrases! {
    /// A process of the server that is in the way.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ServerProcess {
        /// No more than its number is known.
        Numbered "process" { pid: u32 },
        /// This is known of it.
        Known "known_process" { pid: u32, facts: Vec<ProcessFact> },
    }
}

phrases! {
    /// What is known of a process of the server.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ProcessFact {
        /// The role that it works for.
        Role "process_role" { role: String },
        /// What the program calls itself.
        Program "process_program" { program: String },
        /// When it was connected.
        Since "process_since" { time: String },
        /// When its transaction began.
        BusySince "process_busy_since" { time: String },
    }
}
