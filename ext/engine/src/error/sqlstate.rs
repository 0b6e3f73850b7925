//! What PostgreSQL's error codes mean, in words of our own.
//!
//! The server's words for an error come in the language of its `lc_messages` and quote whatever they are about, values
//! of rows included. A code holds neither. The codes are those of PostgreSQL's documentation, "PostgreSQL Error Codes";
//! one that is not listed here means what its class does.

/// What a code means, for behind a colon: "two rows have the same key".
pub(super) fn meaning(code: &str) -> &'static str {
    match code {
        "0A000" => "the server cannot do that",
        "21000" => "a sub-select or an expression gave more than one row",
        "22001" => "a value is too long for its column",
        "22002" | "22004" => "a NULL is where none may be",
        "22003" => "a number is out of its type's range",
        "22007" => "a value does not have the form of a date or a time",
        "22008" => "a date or a time is out of range",
        "22009" | "22023" => "an argument of a function is not one that it takes",
        "22011" => "a substring has a negative length",
        "22012" => "something is divided by zero",
        "22015" => "an interval is out of range",
        "22021" => "a text holds bytes that are no characters of its encoding",
        "22026" => "a bit string has not the length of its column",
        "2200F" => "a text is empty where it may not be",
        "2200L" | "2200M" | "2200N" | "2200S" => "a value is not XML",
        "2201B" | "2201C" => "a regular expression is not one",
        "2201E" | "2201F" | "2201G" => "a logarithm, a power or a width is asked of a number that has none",
        "22030" | "22031" | "22032" | "22033" | "22034" | "22035" | "22036" | "22037" | "22038" | "22039"
        | "2203A" | "2203B" | "2203C" | "2203D" | "2203E" | "2203F" | "2203G" => {
            "a value is not the JSON that is asked for"
        }
        "2202E" => "an array has not the subscripts that are asked for",
        "22P01" => "a floating-point number is out of range",
        "22P02" | "22018" => "a value does not have the form that its type takes",
        "22P03" => "a binary value does not have the form that its type takes",
        "22P04" => "a row does not have the form that COPY takes, or another number of columns",
        "22P05" => "a character does not exist in the database's encoding",
        "23502" => "a NULL is in a column that is NOT NULL",
        "23503" => "a row refers to one that is not there",
        "23505" => "two rows have the same key",
        "23514" => "a row does not meet a CHECK constraint",
        "23P01" => "two rows exclude one another",
        "25006" => "the session may only read",
        "26000" => "a prepared statement is not there any more",
        "2BP01" => "other objects need what is to be dropped",
        "40P01" => "two sessions waited for one another's locks",
        "42501" => "the role may not do that",
        "42601" => "the SQL is not correct",
        "42602" | "42622" | "42939" => "a name is not one that PostgreSQL takes",
        "42701" => "a column is named twice",
        "42702" => "a column's name could mean several",
        "42703" => "it names a column that is not there",
        "42704" => "it names an object that is not there",
        "42710" | "42712" | "42723" => "an object of that name is there already",
        "42725" => "a function's or an operator's name could mean several",
        "42803" => "a column stands outside of an aggregate and of GROUP BY",
        "42804" => "an expression has another type than is asked for there",
        "42809" => "an object is of another kind than is asked for there",
        "42830" => "a foreign key refers to columns without a unique key",
        "42846" => "a value cannot be cast to that type",
        "42883" => "it calls a function or an operator that is not there for arguments of these types",
        "42P01" => "it names a table that is not there",
        "42P02" => "it names a parameter that is not there",
        "42P06" => "a schema of that name is there already",
        "42P07" => "a table or an index of that name is there already",
        "42P10" => "columns are named where they cannot be",
        "42P16" | "42P17" => "an object is defined in a way that PostgreSQL does not take",
        "42P18" | "42P21" | "42P22" => "PostgreSQL cannot tell the type or the collation of an expression",
        "44000" => "a row does not meet a view's WITH CHECK OPTION",
        "53100" => "the server's disk is full",
        "53200" => "the server is out of memory, or its table of locks is full",
        "53300" => "the server has no connection left",
        "54000" | "54001" | "54011" | "54023" => {
            "something is larger or more deeply nested than PostgreSQL takes"
        }
        "55000" => "an object is not in the state that this needs",
        "55006" => "an object is in use",
        "55P03" => "a lock was not to be had in time",
        "57014" => "the statement was cancelled, or took longer than a time limit allows",
        "57P01" | "57P02" => "the server ended the session",
        "57P03" => "the server is starting up or shutting down",
        "57P05" | "25P03" | "25P04" => {
            "the session was idle, or in a transaction, for longer than a time limit allows"
        }
        "58030" => "the server cannot read or write its files",
        "58P01" => "the server does not find a file",
        "P0001" => "a function raised an exception",
        "P0002" => "a query of a function found no row",
        "P0003" => "a query of a function found more than one row",
        "P0004" => "an assertion in a function did not hold",
        "XX001" | "XX002" => "the server's own files are damaged",
        _ => class_meaning(code),
    }
}

/// What a code means by its class, its first two characters.
fn class_meaning(code: &str) -> &'static str {
    match code.get(..2).unwrap_or_default() {
        "03" | "0Z" | "20" | "34" | "2F" | "38" | "39" | "3B" | "P0" => "a function failed",
        "08" => "the connection failed",
        "09" | "27" => "a trigger failed",
        "0A" => "the server cannot do that",
        "0L" | "0P" | "28" => "the role may not do that",
        "21" => "a query gave another number of rows or columns than is asked for there",
        "22" => "a value is not one that is possible there",
        "23" | "44" => "a row does not meet a constraint",
        "24" | "25" | "2D" | "40" => "the transaction cannot go on",
        "2B" => "other objects need what is to be dropped",
        "3D" | "3F" => "it names a database or a schema that is not there",
        "42" => "the SQL is not correct, or names what is not there",
        "53" => "the server has not enough memory, disk or connections",
        "54" => "something is larger or more deeply nested than PostgreSQL takes",
        "55" => "an object is not in the state that this needs",
        "57" => "the server or its administrator ended it",
        "58" | "F0" => "the server's system failed",
        "HV" => "a foreign data wrapper failed",
        "XX" => "the server met a fault of its own",
        _ => "it failed",
    }
}

/// Whether an error of this code, met where no row is near, is about objects alone, so that the server's own words can
/// be quoted. Of the other classes, functions raise some themselves, with words of their own (P0, 38, 39 …), and some
/// speak of values (22, 23, 44).
pub(super) fn is_about_objects(code: &str) -> bool {
    let class = code.get(..2).unwrap_or_default();
    matches!(
        class,
        "08" | "0A"
            | "0L"
            | "0P"
            | "25"
            | "28"
            | "2B"
            | "3D"
            | "3F"
            | "40"
            | "42"
            | "53"
            | "54"
            | "55"
            | "57"
            | "58"
    )
}
