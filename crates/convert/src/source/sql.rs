//! Dumps of SQL as their databases' own tools write them: `INSERT` of `MySQL`, MariaDB, SQLite, SQL
//! Server and PostgreSQL, `COPY … FROM stdin` of PostgreSQL, and `CREATE TABLE` for the names that
//! an `INSERT` leaves out. Every other statement is skipped. One row is in memory at a time.

use std::collections::HashMap;
use std::rc::Rc;

use domain::Json;
use serde_json::Value;

use super::Each;
use super::gauge::{Gauge, Metered};
use crate::record::{Place, Record};
use crate::refusal::Refusal;

mod token;
use token::{Token, Tokens};

type Columns = Rc<Vec<String>>;

pub(super) fn read(
    input: Metered<'_>,
    gauge: &Gauge,
    wants_table: &dyn Fn(&str) -> bool,
    each: &mut Each<'_>,
) -> Result<(), Refusal> {
    let mut dump = Dump {
        tokens: Tokens::new(input, gauge.clone()),
        gauge,
        tables: HashMap::new(),
        wants_table,
    };
    while let Some(token) = dump.tokens.next()? {
        gauge.begin();
        match token {
            Token::Word(word) if word.eq_ignore_ascii_case("insert") => while dump.insert(each)? {},
            Token::Word(word) if word.eq_ignore_ascii_case("create") => dump.create()?,
            Token::Word(word) if word.eq_ignore_ascii_case("copy") => dump.copy(each)?,
            Token::Sign(b'\\') => drop(dump.tokens.rest_of_line()?),
            Token::Sign(b';') => {}
            _ => dump.skip()?,
        }
    }
    Ok(())
}

struct Dump<'a, 'w> {
    tokens: Tokens<'a>,
    gauge: &'w Gauge,
    /// The columns of tables, as `CREATE TABLE` listed them.
    tables: HashMap<String, Columns>,
    wants_table: &'w dyn Fn(&str) -> bool,
}

/// Columns of one table; more are no dump that we know.
const MOST_COLUMNS: usize = 4096;
const MOST_TABLES: usize = 10_000;

impl Dump<'_, '_> {
    fn broken<T>(&self, why: &str) -> Result<T, Refusal> {
        Err(Refusal::input(self.gauge.line(), why))
    }

    /// Past the end of the statement.
    fn skip(&mut self) -> Result<(), Refusal> {
        self.tokens.keep(false);
        while let Some(token) = self.tokens.next()? {
            self.gauge.begin();
            if matches!(token, Token::Sign(b';')) || is_any(Some(&token), &["go"]) {
                break;
            }
        }
        self.tokens.keep(true);
        Ok(())
    }

    /// `schema.table`: the table, and the token after it.
    fn name(&mut self, first: Option<Token>) -> Result<(String, Option<Token>), Refusal> {
        let Some(Token::Word(mut name) | Token::Name(mut name)) = first else {
            return self.broken("a table's name is missing");
        };
        loop {
            match self.tokens.next()? {
                Some(Token::Sign(b'.')) => match self.tokens.next()? {
                    Some(Token::Word(word) | Token::Name(word)) => name = word,
                    _ => return self.broken("a table's name is missing"),
                },
                other => return Ok((name, other)),
            }
        }
    }

    /// After `CREATE`: notes a table's columns.
    fn create(&mut self) -> Result<(), Refusal> {
        let mut next = self.tokens.next()?;
        let words = ["temporary", "temp", "unlogged", "global", "local"];
        while is_any(next.as_ref(), &words) {
            next = self.tokens.next()?;
        }
        match next {
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("table") => {}
            Some(Token::Sign(b';')) => return Ok(()),
            _ => return self.skip(),
        }
        let mut first = self.tokens.next()?;
        for word in ["if", "not", "exists"] {
            if matches!(&first, Some(Token::Word(found)) if found.eq_ignore_ascii_case(word)) {
                first = self.tokens.next()?;
            }
        }
        let (table, after) = self.name(first)?;
        match after {
            Some(Token::Sign(b'(')) => {}
            Some(Token::Sign(b';')) => return Ok(()),
            _ => return self.skip(),
        }
        let columns = self.definitions()?;
        if (self.wants_table)(&table) && self.tables.len() < MOST_TABLES {
            self.tables.insert(table, Rc::new(columns));
        }
        self.skip()
    }

    /// The first word of each definition up to the closing bracket.
    fn definitions(&mut self) -> Result<Vec<String>, Refusal> {
        let others = [
            "primary",
            "key",
            "unique",
            "constraint",
            "index",
            "fulltext",
            "spatial",
            "foreign",
            "check",
            "exclude",
            "like",
            "period",
        ];
        let mut columns = Vec::new();
        let (mut depth, mut is_start) = (1_usize, true);
        while depth > 0 {
            match self.tokens.next()? {
                Some(Token::Sign(b'(')) => depth += 1,
                Some(Token::Sign(b')')) => depth -= 1,
                Some(Token::Sign(b',')) if depth == 1 => {
                    is_start = true;
                    continue;
                }
                Some(Token::Word(word)) if is_start => {
                    if !others.iter().any(|other| word.eq_ignore_ascii_case(other)) {
                        columns.push(word);
                    }
                }
                Some(Token::Name(name)) if is_start => columns.push(name),
                Some(_) => {}
                None => return self.broken("the dump ends inside CREATE TABLE"),
            }
            is_start = false;
            if columns.len() > MOST_COLUMNS {
                return self.broken("more columns than any table has");
            }
        }
        Ok(columns)
    }

    /// `a, b)` after its opening bracket.
    fn column_list(&mut self) -> Result<Vec<String>, Refusal> {
        let mut columns = Vec::new();
        loop {
            match self.tokens.next()? {
                Some(Token::Word(name) | Token::Name(name)) => columns.push(name),
                Some(Token::Sign(b',')) => {}
                Some(Token::Sign(b')')) => return Ok(columns),
                _ => return self.broken("a list of columns is broken"),
            }
        }
    }

    /// After `INSERT`: every tuple is a record. True when another `INSERT` was met: SQL Server writes
    /// no semicolons.
    fn insert(&mut self, each: &mut Each<'_>) -> Result<bool, Refusal> {
        let mut first = self.tokens.next()?;
        while is_any(first.as_ref(), &["into", "ignore", "or", "replace"]) {
            first = self.tokens.next()?;
        }
        let (table, mut next) = self.name(first)?;
        if !(self.wants_table)(&table) {
            return self.next_insert(next);
        }
        let mut columns = self.tables.get(&table).cloned();
        if matches!(next, Some(Token::Sign(b'('))) {
            columns = Some(Rc::new(self.column_list()?));
            next = self.tokens.next()?;
        }
        if !is_any(next.as_ref(), &["values"]) {
            return self.next_insert(next);
        }
        let Some(columns) = columns else {
            let why = "an INSERT names no columns, and no CREATE TABLE before it does";
            return self.broken(why);
        };
        loop {
            match self.tokens.next()? {
                Some(Token::Sign(b'(')) => {
                    let record = self.tuple(&table, &columns)?;
                    self.gauge.begin();
                    each(record)?;
                }
                Some(Token::Sign(b',')) => {}
                next => return self.next_insert(next),
            }
        }
    }

    /// Past the end of the statement, or of the word `INSERT` after it.
    fn next_insert(&mut self, first: Option<Token>) -> Result<bool, Refusal> {
        self.tokens.keep(false);
        let mut next = first;
        let is_insert = loop {
            self.gauge.begin();
            if is_any(next.as_ref(), &["insert"]) {
                break true;
            }
            if matches!(next, Some(Token::Sign(b';')) | None) || is_any(next.as_ref(), &["go"]) {
                break false;
            }
            next = self.tokens.next()?;
        };
        self.tokens.keep(true);
        Ok(is_insert)
    }

    /// A tuple after its opening bracket.
    fn tuple(&mut self, table: &str, columns: &Columns) -> Result<Record, Refusal> {
        let mut record = Record {
            place: Place {
                record: 0,
                line: self.gauge.line(),
            },
            table: Some(table.to_owned()),
            members: Json::new(),
            fault: None,
        };
        let mut names = columns.iter();
        let (mut depth, mut value) = (1_usize, Value::Null);
        let mut is_computed = false;
        while depth > 0 {
            let token = self.tokens.next()?;
            match token {
                Some(Token::Sign(b'(')) => {
                    depth += 1;
                    // CAST(N'…' AS …) of SQL Server holds its text; other functions are not run.
                    is_computed =
                        is_computed || !matches!(&value, Value::String(word) if word == "CAST");
                }
                Some(Token::Sign(b')')) if depth > 1 => depth -= 1,
                Some(Token::Sign(b',' | b')')) if depth == 1 => {
                    let name = names.next().map_or("", String::as_str);
                    if name.is_empty() || is_computed {
                        let why = if is_computed {
                            "a computed value"
                        } else {
                            "more values than columns"
                        };
                        record.fault = Some((name.to_owned(), why));
                    }
                    record.members.insert(name.to_owned(), value.take());
                    is_computed = false;
                    depth -= usize::from(matches!(token, Some(Token::Sign(b')'))));
                }
                Some(Token::Text(bytes)) => match String::from_utf8(bytes) {
                    Ok(text) => value = text.into(),
                    Err(_) => record.fault = Some(("row".to_owned(), "not UTF-8")),
                },
                Some(Token::Word(word)) if depth == 1 => value = bare(&word),
                Some(Token::Sign(b'-')) if depth == 1 => value = "-".into(),
                Some(_) => {}
                None => return self.broken("the dump ends inside a row"),
            }
        }
        if names.next().is_some() {
            record.fault = Some(("row".to_owned(), "fewer values than columns"));
        }
        Ok(record)
    }

    /// After `COPY`: each line up to `\.` is a record.
    fn copy(&mut self, each: &mut Each<'_>) -> Result<(), Refusal> {
        let first = self.tokens.next()?;
        if matches!(first, Some(Token::Sign(_))) {
            return self.skip();
        }
        let (table, next) = self.name(first)?;
        if !matches!(next, Some(Token::Sign(b'('))) {
            return self.broken("COPY without a list of columns");
        }
        let columns = self.column_list()?;
        self.skip()?;
        self.tokens.rest_of_line()?;
        let is_wanted = (self.wants_table)(&table);
        loop {
            let line = self.gauge.line();
            self.gauge.begin();
            let Some(row) = self.tokens.line()? else {
                return self.broken("the dump ends inside COPY");
            };
            if row == b"\\." {
                return Ok(());
            }
            if is_wanted {
                each(copied(&row, &table, &columns, line))?;
            }
        }
    }
}

/// Whether the token is one of these keywords.
fn is_any(token: Option<&Token>, words: &[&str]) -> bool {
    matches!(token, Some(Token::Word(found)) if words.iter().any(|word| found.eq_ignore_ascii_case(word)))
}

/// A word that stands for a value.
fn bare(word: &str) -> Value {
    match word.to_ascii_lowercase().as_str() {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => word
            .parse::<i64>()
            .map_or_else(|_| word.into(), Value::from),
    }
}

/// One line of COPY's text format.
fn copied(row: &[u8], table: &str, columns: &[String], line: u64) -> Record {
    let mut record = Record {
        place: Place { record: 0, line },
        table: Some(table.to_owned()),
        members: Json::new(),
        fault: None,
    };
    let fields: Vec<&[u8]> = row.split(|b| *b == b'\t').collect();
    if fields.len() != columns.len() {
        record.fault = Some(("row".to_owned(), "has not as many fields as COPY names"));
    }
    for (name, field) in columns.iter().zip(fields) {
        let value = if field == b"\\N" {
            Value::Null
        } else if let Ok(text) = String::from_utf8(token::unescaped_copy(field)) {
            text.into()
        } else {
            record.fault = Some((name.clone(), "not UTF-8"));
            Value::Null
        };
        record.members.insert(name.clone(), value);
    }
    record
}
