//! What the role owns in the target, and who would lose something if it were dropped. Only looks.

use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, OthersObject, TargetFailure, TargetRemedy};
use crate::postgres::inspect::relations::HYPERTABLE;
use crate::postgres::session::connect::Session;
use crate::postgres::session::{get, Facts};
use tokio_postgres::Row;

/// Everything that a reset drops, as `owned (classid, objid, kind, stage, identity)`: what the current role owns
/// by the catalogues' owner columns (the bootstrap superuser has no entries in pg_shdepend), and for a superuser
/// also the objects of kinds that have no owner. Never there: what PostgreSQL itself brought (object ids below
/// 16384), extensions and their members, temporary objects, what depends on another object of ours for its very
/// existence (an identity column's sequence, a table's row type, an array type, a range's functions), the schema `public`, the gem's own schema, and
/// schemas that hold an extension, and TimescaleDB's chunks, which go with their hypertables.
///
/// Stages are in dropping order: what fires on drops first, then what most things hang on, schemas last.
const OWNED: &str = "
 me AS (SELECT oid, rolsuper FROM pg_roles WHERE rolname = current_user),
 members AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
 kept_schemas AS (
   SELECT oid FROM pg_namespace
    WHERE nspname IN ('public', 'scalingo_staging_sync', 'information_schema') OR nspname LIKE 'pg\\_%'
   UNION SELECT extnamespace FROM pg_extension
   UNION SELECT d.refobjid FROM pg_depend d JOIN members m USING (classid, objid)
    WHERE d.refclassid = 'pg_namespace'::regclass),
 own_schema AS (
   SELECT oid FROM pg_namespace
    WHERE nspname IN ('scalingo_staging_sync', 'information_schema') OR nspname LIKE 'pg\\_%'
      OR nspname LIKE '\\_timescaledb\\_%' AND EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')),
 candidates (classid, objid, namespace, stage, kind) AS (
   SELECT 'pg_event_trigger'::regclass, e.oid, NULL::oid, 1, 'EVENT TRIGGER' FROM pg_event_trigger e, me WHERE evtowner = me.oid
   UNION ALL SELECT 'pg_publication'::regclass, p.oid, NULL, 2, 'PUBLICATION' FROM pg_publication p, me WHERE pubowner = me.oid
   UNION ALL SELECT 'pg_class'::regclass, c.oid, relnamespace,
       CASE WHEN relkind IN ('v', 'm') THEN 3 WHEN relkind = 'S' THEN 5 ELSE 4 END,
       CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                    WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END
     FROM pg_class c, me WHERE relowner = me.oid AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
       AND NOT (relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
         AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a'))
   UNION ALL SELECT 'pg_statistic_ext'::regclass, s.oid, stxnamespace, 6, 'STATISTICS' FROM pg_statistic_ext s, me WHERE stxowner = me.oid
   UNION ALL SELECT 'pg_proc'::regclass, p.oid, pronamespace, 7, CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'ROUTINE' END
     FROM pg_proc p, me WHERE proowner = me.oid
   UNION ALL SELECT 'pg_type'::regclass, t.oid, typnamespace, 8, 'TYPE' FROM pg_type t, me WHERE typowner = me.oid
       AND (typtype IN ('b', 'c', 'd', 'e', 'r') OR NOT typisdefined)
   UNION ALL SELECT 'pg_operator'::regclass, o.oid, oprnamespace, 9, 'OPERATOR' FROM pg_operator o, me WHERE oprowner = me.oid
   UNION ALL SELECT 'pg_opclass'::regclass, o.oid, opcnamespace, 10, 'OPERATOR CLASS' FROM pg_opclass o, me WHERE opcowner = me.oid
   UNION ALL SELECT 'pg_opfamily'::regclass, o.oid, opfnamespace, 11, 'OPERATOR FAMILY' FROM pg_opfamily o, me WHERE opfowner = me.oid
   UNION ALL SELECT 'pg_collation'::regclass, c.oid, collnamespace, 12, 'COLLATION' FROM pg_collation c, me WHERE collowner = me.oid
   UNION ALL SELECT 'pg_conversion'::regclass, c.oid, connamespace, 12, 'CONVERSION' FROM pg_conversion c, me WHERE conowner = me.oid
   UNION ALL SELECT 'pg_ts_config'::regclass, c.oid, cfgnamespace, 13, 'TEXT SEARCH CONFIGURATION' FROM pg_ts_config c, me WHERE cfgowner = me.oid
   UNION ALL SELECT 'pg_ts_dict'::regclass, d.oid, dictnamespace, 14, 'TEXT SEARCH DICTIONARY' FROM pg_ts_dict d, me WHERE dictowner = me.oid
   UNION ALL SELECT 'pg_ts_parser'::regclass, p.oid, prsnamespace, 15, 'TEXT SEARCH PARSER' FROM pg_ts_parser p, me WHERE rolsuper
   UNION ALL SELECT 'pg_ts_template'::regclass, t.oid, tmplnamespace, 15, 'TEXT SEARCH TEMPLATE' FROM pg_ts_template t, me WHERE rolsuper
   UNION ALL SELECT 'pg_cast'::regclass, c.oid, NULL, 16, 'CAST' FROM pg_cast c, me WHERE rolsuper
   UNION ALL SELECT 'pg_transform'::regclass, t.oid, NULL, 16, 'TRANSFORM' FROM pg_transform t, me WHERE rolsuper
   UNION ALL SELECT 'pg_am'::regclass, a.oid, NULL, 17, 'ACCESS METHOD' FROM pg_am a, me WHERE rolsuper
   UNION ALL SELECT 'pg_language'::regclass, l.oid, NULL, 18, 'LANGUAGE' FROM pg_language l, me WHERE lanowner = me.oid
   UNION ALL SELECT 'pg_foreign_server'::regclass, s.oid, NULL, 19, 'SERVER' FROM pg_foreign_server s, me WHERE srvowner = me.oid
   UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, f.oid, NULL, 20, 'FOREIGN DATA WRAPPER' FROM pg_foreign_data_wrapper f, me WHERE fdwowner = me.oid
   UNION ALL SELECT 'pg_namespace'::regclass, n.oid, n.oid, 21, 'SCHEMA' FROM pg_namespace n, me WHERE nspowner = me.oid
       AND n.oid NOT IN (SELECT oid FROM kept_schemas)),
 owned AS (
   SELECT classid::oid, objid, stage, kind FROM candidates
    WHERE objid >= 16384
      AND (namespace IS NULL OR namespace NOT IN (SELECT oid FROM own_schema))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = candidates.classid AND d.objid = candidates.objid
                        AND d.objsubid = 0 AND d.deptype IN ('e', 'i')))";

/// Everything that goes when what is owned goes (`pg_depend` followed to its end), with the owner of each: an
/// index, a constraint, a default, a trigger, a rule or a policy is its table's owner's.
const CLOSURE: &str = "
 closure (classid, objid) AS (
   SELECT classid, objid FROM owned
   UNION
   SELECT d.classid, d.objid FROM closure c
     JOIN pg_depend d ON d.refclassid = c.classid AND d.refobjid = c.objid),
 losses (classid, objid, owner) AS (
   SELECT DISTINCT
     CASE WHEN r.oid IS NOT NULL THEN 'pg_class'::regclass::oid ELSE c.classid END,
     CASE WHEN r.oid IS NOT NULL THEN r.ev_class ELSE c.objid END,
     coalesce(
       (SELECT relowner FROM pg_class WHERE oid = coalesce(
          CASE WHEN c.classid = 'pg_class'::regclass THEN c.objid END, r.ev_class,
          (SELECT nullif(conrelid, 0) FROM pg_constraint WHERE c.classid = 'pg_constraint'::regclass AND oid = c.objid),
          (SELECT adrelid FROM pg_attrdef WHERE c.classid = 'pg_attrdef'::regclass AND oid = c.objid),
          (SELECT tgrelid FROM pg_trigger WHERE c.classid = 'pg_trigger'::regclass AND oid = c.objid),
          (SELECT polrelid FROM pg_policy WHERE c.classid = 'pg_policy'::regclass AND oid = c.objid))),
       (SELECT typowner FROM pg_type WHERE oid = coalesce(
          CASE WHEN c.classid = 'pg_type'::regclass THEN c.objid END,
          (SELECT nullif(contypid, 0) FROM pg_constraint WHERE c.classid = 'pg_constraint'::regclass AND oid = c.objid))),
       (SELECT opfowner FROM pg_opfamily WHERE oid = coalesce(
          CASE WHEN c.classid = 'pg_opfamily'::regclass THEN c.objid END,
          (SELECT amopfamily FROM pg_amop WHERE c.classid = 'pg_amop'::regclass AND oid = c.objid),
          (SELECT amprocfamily FROM pg_amproc WHERE c.classid = 'pg_amproc'::regclass AND oid = c.objid))),
       CASE c.classid
         WHEN 'pg_proc'::regclass THEN (SELECT proowner FROM pg_proc WHERE oid = c.objid)
         WHEN 'pg_operator'::regclass THEN (SELECT oprowner FROM pg_operator WHERE oid = c.objid)
         WHEN 'pg_opclass'::regclass THEN (SELECT opcowner FROM pg_opclass WHERE oid = c.objid)
         WHEN 'pg_collation'::regclass THEN (SELECT collowner FROM pg_collation WHERE oid = c.objid)
         WHEN 'pg_conversion'::regclass THEN (SELECT conowner FROM pg_conversion WHERE oid = c.objid)
         WHEN 'pg_namespace'::regclass THEN (SELECT nspowner FROM pg_namespace WHERE oid = c.objid)
         WHEN 'pg_ts_config'::regclass THEN (SELECT cfgowner FROM pg_ts_config WHERE oid = c.objid)
         WHEN 'pg_ts_dict'::regclass THEN (SELECT dictowner FROM pg_ts_dict WHERE oid = c.objid)
         WHEN 'pg_statistic_ext'::regclass THEN (SELECT stxowner FROM pg_statistic_ext WHERE oid = c.objid)
         WHEN 'pg_language'::regclass THEN (SELECT lanowner FROM pg_language WHERE oid = c.objid)
         WHEN 'pg_foreign_data_wrapper'::regclass THEN (SELECT fdwowner FROM pg_foreign_data_wrapper WHERE oid = c.objid)
         WHEN 'pg_foreign_server'::regclass THEN (SELECT srvowner FROM pg_foreign_server WHERE oid = c.objid)
         WHEN 'pg_event_trigger'::regclass THEN (SELECT evtowner FROM pg_event_trigger WHERE oid = c.objid)
         WHEN 'pg_publication'::regclass THEN (SELECT pubowner FROM pg_publication WHERE oid = c.objid)
         WHEN 'pg_extension'::regclass THEN (SELECT extowner FROM pg_extension WHERE oid = c.objid)
       END)
   FROM closure c LEFT JOIN pg_rewrite r ON c.classid = 'pg_rewrite'::regclass AND r.oid = c.objid)";

/// A procedure's name for DROP. Its identity is not enough: it leaves out arguments that only come out, and two procedures
/// may differ in these alone.
const PROCEDURE: &str =
    "(SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) \
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = o.objid)";

/// A transform's name for DROP, which its identity is not.
const TRANSFORM: &str = "(SELECT format('FOR %s LANGUAGE %I', format_type(t.trftype, NULL), l.lanname) \
     FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE t.oid = o.objid)";

/// One object that the reset drops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owned {
    /// The word after DROP.
    pub(crate) kind: &'static str,
    /// Its name as DROP wants it, such as `public.area(integer)`.
    pub(crate) identity: String,
    /// No other may be dropped in the same statement: it is a hypertable.
    pub(crate) alone: bool,
}

/// What the role owns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inventory {
    /// In dropping order.
    pub(crate) objects: Vec<Owned>,
    /// Large objects.
    pub(crate) large_objects: u64,
    /// How many objects go in all, with indexes, types, constraints, defaults: each takes a lock.
    pub(crate) locks: u64,
}

impl Inventory {
    /// The tables among the objects, for LOCK TABLE.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        self.objects
            .iter()
            .filter(|object| object.kind == "TABLE")
            .map(|object| object.identity.as_str())
    }
}

/// The words after DROP that the query above uses.
const KINDS: &[&str] = &[
    "EVENT TRIGGER",
    "PUBLICATION",
    "VIEW",
    "MATERIALIZED VIEW",
    "SEQUENCE",
    "FOREIGN TABLE",
    "TYPE",
    "TABLE",
    "STATISTICS",
    "ROUTINE",
    "PROCEDURE",
    "OPERATOR",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "COLLATION",
    "CONVERSION",
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "CAST",
    "TRANSFORM",
    "ACCESS METHOD",
    "LANGUAGE",
    "SERVER",
    "FOREIGN DATA WRAPPER",
    "SCHEMA",
];

/// Kinds that one statement can drop several of (PostgreSQL's documentation, "DROP …").
pub(crate) fn drops_several(kind: &str) -> bool {
    !matches!(
        kind,
        "EVENT TRIGGER"
            | "OPERATOR CLASS"
            | "OPERATOR FAMILY"
            | "COLLATION"
            | "CONVERSION"
            | "CAST"
            | "TRANSFORM"
            | "ACCESS METHOD"
            | "LANGUAGE"
    ) && !kind.starts_with("TEXT SEARCH")
}

fn doing(error: tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithoutRows(&Attempt::LookingAtInventory), &error)
}

/// Lists what the role owns, and counts what goes with it.
pub(crate) async fn take(session: &Session) -> Result<Inventory> {
    // Partitions before what they are partitions of, and younger objects before older ones: so that in steps
    // each drop takes little along.
    let sql = format!(
        "WITH {OWNED} SELECT o.kind, CASE o.kind WHEN 'PROCEDURE' THEN {PROCEDURE} WHEN 'TRANSFORM' THEN {TRANSFORM} \
           ELSE (pg_identify_object(o.classid, o.objid, 0)).identity END AS identity, c.oid IS NOT NULL AND {HYPERTABLE} AS alone \
         FROM owned o LEFT JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid \
         ORDER BY o.stage, c.relispartition DESC NULLS LAST, c.relkind = 'p', o.objid DESC"
    );
    let mut owned = Inventory::default();
    for row in session.query(&sql, &[]).await.map_err(doing)? {
        let kind: &str = get(&row, "kind")?;
        let known = KINDS.iter().find(|known| **known == kind);
        let kind = known.ok_or_else(|| Error::internal(format!("The target holds a {kind}.")))?;
        owned.objects.push(Owned {
            kind,
            identity: get(&row, "identity")?,
            alone: get(&row, "alone")?,
        });
    }
    let sql = format!(
        "WITH RECURSIVE {OWNED}, {CLOSURE} SELECT (SELECT count(*) FROM closure) AS locks, \
         (SELECT count(*) FROM pg_largeobject_metadata, me WHERE lomowner = me.oid) AS large_objects"
    );
    let row = session.query_one(&sql, &[]).await.map_err(doing)?;
    let (locks, large_objects): (i64, i64) = (get(&row, "locks")?, get(&row, "large_objects")?);
    owned.locks = u64::try_from(locks).unwrap_or(0);
    owned.large_objects = u64::try_from(large_objects).unwrap_or(0);
    Ok(owned)
}

/// Fails when something that belongs to another role, or to an extension, would be lost along with what is
/// dropped.
///
/// # Errors
/// [`Kind::Privilege`], naming up to ten such objects and their owners.
pub(crate) async fn refuse_losses(session: &Session, facts: &Facts) -> Result<()> {
    // What is part of something else goes by that one's owner: a range's functions, for instance, are the
    // bootstrap superuser's, not the one's who created the range.
    let sql = format!(
        "WITH RECURSIVE {OWNED}, {CLOSURE} \
         SELECT DISTINCT pg_describe_object(l.classid, l.objid, 0) AS object, CASE \
             WHEN l.classid <> 'pg_extension'::regclass AND m.objid IS NULL \
             THEN pg_get_userbyid(l.owner)::text END AS role \
         FROM losses l CROSS JOIN me LEFT JOIN members m USING (classid, objid) \
         WHERE (l.owner <> me.oid OR l.classid = 'pg_extension'::regclass OR m.objid IS NOT NULL) \
           AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = l.classid AND i.objid = l.objid \
             AND i.objsubid = 0 AND i.deptype = 'i') \
         ORDER BY object, role LIMIT 11"
    );
    let rows = session.query(&sql, &[]).await.map_err(doing)?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut objects = rows
        .iter()
        .take(10)
        .map(others_object)
        .collect::<Result<Vec<OthersObject>>>()?;
    if rows.len() > 10 {
        objects.push(OthersObject::More);
    }
    Err(Error::new(
        Kind::Privilege,
        TargetFailure::TakesAlong {
            role: facts.role.clone(),
            objects,
        },
        TargetRemedy::GiveObjects,
    ))
}

/// Fails when a large object of the backup has an oid that another role's large object has in the target.
///
/// # Errors
/// [`Kind::Privilege`], naming up to ten.
pub(crate) async fn refuse_taken_oids(session: &Session, oids: &[u32]) -> Result<()> {
    if oids.is_empty() {
        return Ok(());
    }
    let sql = "SELECT l.oid::text AS object, pg_get_userbyid(lomowner)::text AS role \
               FROM pg_largeobject_metadata l JOIN pg_roles r ON r.rolname = current_user \
               WHERE lomowner <> r.oid AND l.oid = ANY($1) ORDER BY l.oid LIMIT 10";
    let rows = session.query(sql, &[&oids]).await.map_err(doing)?;
    if rows.is_empty() {
        return Ok(());
    }
    let objects = rows.iter().map(others_object).collect::<Result<_>>()?;
    Err(Error::new(
        Kind::Privilege,
        TargetFailure::ObjectsTaken { objects },
        TargetRemedy::UnlinkObjects,
    ))
}

/// An object by its description and its owner's role; without a role it is an extension's.
fn others_object(row: &Row) -> Result<OthersObject> {
    let object = get(row, "object")?;
    Ok(match get(row, "role")? {
        Some(role) => OthersObject::OfRole { object, role },
        None => OthersObject::OfExtension { object },
    })
}
