//! A foreign key in two parts: declared at once, checked beside other work.
//!
//! `ADD FOREIGN KEY` checks the rows while it locks both tables against index builds and against one another, so
//! that all keys to one table are checked in turn, by one core. `NOT VALID` declares the key in a moment, and
//! `VALIDATE CONSTRAINT` checks the rows under locks that keep no one else waiting (PostgreSQL's documentation,
//! "ALTER TABLE" and "Explicit Locking"): SHARE UPDATE EXCLUSIVE on the table, ROW SHARE on the one it refers to.

use crate::plan::sql::{lex, Cursor};
use crate::plan::{quote_identifier, Step, TableName};
use crate::postgres::schedule::keys::constraint;
use crate::postgres::session::connect::Session;
use pg_dump_archive::EntryKind;
use tokio_postgres::error::SqlState;

/// Smaller tables' keys are checked as they are declared: a second statement would cost more than it saves.
pub(in crate::postgres) const WORTH_IT: u64 = 4 * 1024 * 1024;

/// A foreign key that can be declared first and checked afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgres) struct TwoPart {
    /// The table that has the key.
    pub(in crate::postgres) table: TableName,
    /// Declares it.
    pub(in crate::postgres) declare: String,
    /// Checks the rows.
    pub(in crate::postgres) validate: String,
}

impl TwoPart {
    /// A step's foreign key, unless it is of another kind or is declared NOT VALID for good.
    pub(in crate::postgres) fn of(step: &Step) -> Option<Self> {
        if step.kind != EntryKind::ForeignKey {
            return None;
        }
        let tokens = lex(&step.sql);
        let mut cursor = Cursor::new(&tokens);
        let (table, name) = constraint::added(&mut cursor)?;
        if !cursor.accept("FOREIGN KEY") || cursor.skip_past("NOT VALID") {
            return None;
        }
        let bare = step.sql.trim_end().trim_end_matches(';');
        Some(Self {
            declare: format!("{bare} NOT VALID"),
            validate: format!(
                "ALTER TABLE {} VALIDATE CONSTRAINT {}",
                table.sql(),
                quote_identifier(&name)
            ),
            table,
        })
    }

    /// Declares the key. False: PostgreSQL does not declare it so, as on partitioned tables, and it must be added
    /// in one part.
    pub(in crate::postgres) async fn declare(
        &self,
        session: &Session,
    ) -> Result<bool, tokio_postgres::Error> {
        match session.batch_execute(&self.declare).await {
            Ok(()) => Ok(true),
            Err(error) => match error.code() {
                Some(&SqlState::WRONG_OBJECT_TYPE | &SqlState::FEATURE_NOT_SUPPORTED) => Ok(false),
                _ => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_key_is_declared_not_valid_and_validated_afterwards() {
        let sql = "ALTER TABLE ONLY public.\"Orders\"\n    ADD CONSTRAINT \"fk 1\" FOREIGN KEY (user_id) \
                   REFERENCES public.users(id) ON DELETE CASCADE DEFERRABLE;\n";
        let key = TwoPart::of(&Step::bare(EntryKind::ForeignKey, sql)).unwrap_or_else(|| unreachable!());
        assert_eq!(key.table.name, "Orders");
        assert!(key.declare.ends_with("ON DELETE CASCADE DEFERRABLE NOT VALID"));
        assert_eq!(
            key.validate,
            "ALTER TABLE \"public\".\"Orders\" VALIDATE CONSTRAINT \"fk 1\""
        );
    }

    #[test]
    fn what_stays_not_valid_and_what_is_no_foreign_key_is_one_part() {
        let sql = "ALTER TABLE public.a ADD CONSTRAINT b FOREIGN KEY (c) REFERENCES public.d(id)";
        assert!(TwoPart::of(&Step::bare(EntryKind::ForeignKey, &format!("{sql} NOT VALID;\n"))).is_none());
        assert!(TwoPart::of(&Step::bare(EntryKind::Constraint, sql)).is_none());
        let old = sql.replace("public.a", "a");
        assert!(TwoPart::of(&Step::bare(EntryKind::ForeignKey, &old)).is_none());
    }
}
