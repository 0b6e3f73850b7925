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
        "22002" | "22004" => "a NULL is not allowed there",
        "22003" => "a number is out of its type's range",
        "22007" => "a value does not have the form of a date or a time",
        "22008" => "a date or a time is out of range",
        "22009" | "22023" => "a function does not accept one of its arguments",
        "22011" => "a substring has a negative length",
        "22012" => "something is divided by zero",
        "22015" => "an interval is out of range",
        "22021" => "a text holds bytes that are not valid in its encoding",
        "22026" => "a bit string does not have the length of its column",
        "2200F" => "a text must not be empty there",
        "2200L" | "2200M" | "2200N" | "2200S" => "a value is not XML",
        "2201B" | "2201C" => "a regular expression is not valid",
        "2201E" | "2201F" | "2201G" => "a logarithm, a power or a width is asked of a number that has none",
        "22030" | "22031" | "22032" | "22033" | "22034" | "22035" | "22036" | "22037" | "22038" | "22039"
        | "2203A" | "2203B" | "2203C" | "2203D" | "2203E" | "2203F" | "2203G" => {
            "a value is not the JSON that is asked for"
        }
        "2202E" => "an array does not have the subscripts that are asked for",
        "22P01" => "a floating-point number is out of range",
        "22P02" | "22018" => "a value does not have the form that its type requires",
        "22P03" => "a binary value does not have the form that its type requires",
        "22P04" => "a row does not have the form that COPY reads, or not as many columns as the table",
        "22P05" => "a character does not exist in the database's encoding",
        "23502" => "a NULL is in a column that is NOT NULL",
        "23503" => "a row refers to one that does not exist",
        "23505" => "two rows have the same key",
        "23514" => "a row does not meet a CHECK constraint",
        "23P01" => "two rows exclude one another",
        "25006" => "the session may only read",
        "26000" => "a prepared statement no longer exists",
        "2BP01" => "other objects need what is to be dropped",
        "40P01" => "two sessions waited for one another's locks",
        "42501" => "the role may not do that",
        "42601" => "the SQL is not correct",
        "42602" | "42622" | "42939" => "a name is not one that PostgreSQL accepts",
        "42701" => "a column is named twice",
        "42702" => "a column's name could mean several",
        "42703" => "it names a column that does not exist",
        "42704" => "it names an object that does not exist",
        "42710" | "42712" | "42723" => "an object of that name already exists",
        "42725" => "a function's or an operator's name could mean several",
        "42803" => "a column is in neither an aggregate nor GROUP BY",
        "42804" => "an expression does not have the type that is needed there",
        "42809" => "an object is not of the kind that is needed there",
        "42830" => "a foreign key refers to columns without a unique key",
        "42846" => "a value cannot be cast to that type",
        "42883" => "it calls a function or an operator that does not exist for arguments of these types",
        "42P01" => "it names a table that does not exist",
        "42P02" => "it names a parameter that does not exist",
        "42P06" => "a schema of that name already exists",
        "42P07" => "a table or an index of that name already exists",
        "42P10" => "columns are named where they cannot be",
        "42P16" | "42P17" => "an object is defined in a way that PostgreSQL does not accept",
        "42P18" | "42P21" | "42P22" => {
            "PostgreSQL cannot determine the type or the collation of an expression"
        }
        "44000" => "a row does not meet a view's WITH CHECK OPTION",
        "53100" => "the server's disk is full",
        "53200" => "the server is out of memory, or its table of locks is full",
        "53300" => "the server has no connection left",
        "54000" | "54001" | "54011" | "54023" => {
            "something is larger or more deeply nested than PostgreSQL allows"
        }
        "55000" => "an object is not in the state that this needs",
        "55006" => "an object is in use",
        "55P03" => "a lock was not granted in time",
        "57014" => "the statement was cancelled, or took longer than a time limit allows",
        "57P01" | "57P02" => "the server ended the session",
        "57P03" => "the server is starting up or shutting down",
        "57P05" | "25P03" | "25P04" => {
            "the session was idle, or in a transaction, for longer than a time limit allows"
        }
        "58030" => "the server cannot read or write its files",
        "58P01" => "the server cannot find a file",
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
        "21" => "a query did not return as many rows or columns as are needed there",
        "22" => "a value is not possible there",
        "23" | "44" => "a row does not meet a constraint",
        "24" | "25" | "2D" | "40" => "the transaction cannot go on",
        "2B" => "other objects need what is to be dropped",
        "3D" | "3F" => "it names a database or a schema that does not exist",
        "42" => "the SQL is not correct, or names something that does not exist",
        "53" => "the server has not enough memory, disk or connections",
        "54" => "something is larger or more deeply nested than PostgreSQL allows",
        "55" => "an object is not in the state that this needs",
        "57" => "the server or its administrator ended it",
        "58" | "F0" => "the server's system failed",
        "HV" => "a foreign data wrapper failed",
        "XX" => "the server has an internal error",
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
