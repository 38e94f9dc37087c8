//! `submit`: a request from a file.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use mutator_governance::policy::PolicySet;
use mutator_governance::workflow::explain;
use mutator_governance::{RequestDraft, RequestId, WriteId};
use serde_json::Value;

use super::change::{hint, print};
use super::list::change;
use super::show::whole;
use super::timeline::actor;
use crate::confirm::Confirmation;
use crate::failure::Failure;
use crate::session::{Session, note};

/// The requester is whoever acts, see --as, or the one whom the file names.
#[derive(Args)]
pub(crate) struct Submit {
    /// The file in TOML or JSON; - reads standard input
    file: PathBuf,

    /// Adds what the policies in this file demand
    #[arg(long, value_name = "FILE")]
    policies: Option<PathBuf>,

    /// Creates the namespace if it does not exist
    #[arg(long)]
    create: bool,

    /// Shows the request as it would be submitted, and submits nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    #[command(flatten)]
    confirmation: Confirmation,

    /// Repeats a call whose outcome is unknown: it is submitted once, however often the call is repeated. Takes --id
    #[arg(long, value_name = "ID", requires = "id")]
    write_id: Option<WriteId>,

    /// The id of the request, instead of one that the file names or a new one
    #[arg(long, value_name = "ID")]
    id: Option<RequestId>,
}

impl Submit {
    pub(crate) fn run(self, session: &mut Session) -> Result<(), Failure> {
        let draft = read_draft(session, &self.file)?;
        let governance = if self.create { session.writing_anew()? } else { session.writing()? };
        let draft = match &self.policies {
            Some(file) => PolicySet::from_file(file)?.draft(draft, governance.clock().now())?,
            None => draft,
        };
        // An id that an error can name, so that the call can be repeated.
        let id = self.id.map_or_else(|| named(&draft), |id| Ok(Some(id)))?.unwrap_or_else(RequestId::generate);
        let draft = draft.with_id(id.clone());
        if self.dry_run || !self.confirmation.yes && self.write_id.is_none() {
            let request = governance.preview_submit(draft.clone())?;
            if self.dry_run {
                return session.print(whole(&request, governance.clock().now()));
            }
            note(format_args!("submit {} as {}", change(&request), actor(&request.requested_by)));
            note(format_args!("  then it {}", explain(&request, governance.clock().now())));
        }
        self.confirmation.ask("submit it?")?;
        let write_id = self.write_id.unwrap_or_else(WriteId::generate);
        match governance.submit_as(draft, write_id) {
            Ok(request) => print(session, &governance, &request),
            Err(error) => {
                hint(&error, &format!("--id {id} --write-id {write_id}"));
                Err(error.into())
            }
        }
    }
}

fn named(draft: &RequestDraft) -> Result<Option<RequestId>, Failure> {
    let written = serde_json::to_value(draft).map_err(|error| Failure::usage(error.to_string()))?;
    let id = written.get("id").and_then(Value::as_str);
    Ok(id.map(RequestId::new).transpose()?)
}

/// The draft in this file, requested by whoever acts.
pub(super) fn read_draft(session: &Session, file: &Path) -> Result<RequestDraft, Failure> {
    let invalid = |problem: String| Failure::Usage(format!("{}: {problem}", file.display()));
    let mut fields = parsed(file)?;
    let Value::Object(object) = &mut fields else {
        return Err(invalid("it is no table of fields".to_owned()));
    };
    if session.acting_id().is_some() {
        let actor = session.actor()?;
        let named = object.get("requested_by").and_then(|by| by.get("id")).and_then(Value::as_str);
        match (named, actor.id.as_ref()) {
            (Some(named), Some(acting)) if named != acting.as_str() => {
                return Err(invalid(format!("it is requested by {named}, and {acting} acts; leave one of them out")));
            }
            (Some(_), _) => {}
            (None, _) => {
                let actor = serde_json::to_value(actor).map_err(|error| invalid(error.to_string()))?;
                object.insert("requested_by".to_owned(), actor);
            }
        }
    }
    serde_json::from_value(fields).map_err(|error| match error.to_string() {
        text if text.contains("missing field `requested_by`") => {
            invalid("nobody is said to request it: give --as PERSON, or write requested_by into the file".to_owned())
        }
        text => invalid(text),
    })
}

/// What is in this file, which is TOML or JSON.
pub(super) fn parsed(file: &Path) -> Result<Value, Failure> {
    let text = read(file)?;
    parse(file, &text).map_err(|problem| Failure::Usage(format!("{}: {problem}", file.display())))
}

fn read(file: &Path) -> Result<String, Failure> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error));
    }
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).map_err(|error| Failure::file(file, &error))?;
    Ok(text)
}

/// JSON if the name says so or the text begins like it, otherwise TOML.
fn parse(file: &Path, text: &str) -> Result<Value, String> {
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if is_json || text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    let table: toml::Table = toml::from_str(text).map_err(|error| error.to_string().trim_end().replace('\n', "; "))?;
    Ok(Value::Object(table.into_iter().map(|(key, value)| (key, json(value))).collect()))
}

/// The same value; a time becomes text, as JSON has it.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(values) => Value::Array(values.into_iter().map(json).collect()),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(key, value)| (key, json(value))).collect()),
    }
}
