//! The filters of lists: one option for each filter of a query for requests.

use clap::Args;
use mutator_governance::{
    BlastScope, DecisionCategory, PendingReason, RequestQuery, RiskLevel, Severity, SortDirection, Status, Timestamp,
    Value, Viewer,
};

use crate::failure::Failure;
use crate::session::Session;
use crate::values::{Range, pair, times};

/// Which requests. Options add up; of several values of one option, any matches.
#[derive(Args, Default)]
#[command(next_help_heading = "Filters (values separated by commas match any)")]
pub(crate) struct Filters {
    /// With one of these ids
    #[arg(long = "id", value_name = "ID", value_delimiter = ',')]
    ids: Vec<String>,

    /// With one of these unique keys
    #[arg(long = "unique-key", value_name = "KEY", value_delimiter = ',')]
    unique_keys: Vec<String>,

    /// That would change one of these states
    #[arg(long = "state", value_name = "ID", value_delimiter = ',')]
    state_ids: Vec<String>,

    /// That would change a state of one of these types
    #[arg(long = "state-type", value_name = "TYPE", value_delimiter = ',')]
    state_types: Vec<String>,

    /// Of one of these mutation types
    #[arg(long = "mutation-type", value_name = "TYPE", value_delimiter = ',')]
    mutation_types: Vec<String>,

    /// Submitted by one of these people, or for one
    #[arg(long = "by", value_name = "PERSON", value_delimiter = ',')]
    actor_ids: Vec<String>,

    /// Submitted by somebody with exactly this name; can be repeated
    #[arg(long = "by-name", value_name = "NAME")]
    actor_names: Vec<String>,

    /// Whose requester has one of these correlation ids
    #[arg(long = "correlation-id", value_name = "ID", value_delimiter = ',')]
    correlation_ids: Vec<String>,

    /// With a payload of one of these content types
    #[arg(long = "content-type", value_name = "TYPE", value_delimiter = ',')]
    content_types: Vec<String>,

    /// In one of these categories
    #[arg(long = "category", value_name = "CATEGORY", value_delimiter = ',')]
    categories: Vec<String>,

    /// With any of these tags
    #[arg(long = "tag", value_name = "TAG", value_delimiter = ',', conflicts_with = "all_tags")]
    tags: Vec<String>,

    /// With all of these tags
    #[arg(long = "all-tags", value_name = "TAG", value_delimiter = ',')]
    all_tags: Vec<String>,

    /// With this in the metadata of the intent; can be repeated
    #[arg(long = "intent-metadata", value_name = "KEY=VALUE", value_parser = pair)]
    intent_metadata: Vec<(String, Value)>,

    /// With this in the metadata; can be repeated
    #[arg(long = "metadata", value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<(String, Value)>,

    /// With a blast radius in this range: Single, Module, System, Global
    #[arg(long = "blast-radius", value_name = "FROM..TO")]
    blast_radius: Option<Range<BlastScope>>,

    /// With a risk in this range: Low, Medium, High, Critical
    #[arg(long = "risk", value_name = "FROM..TO")]
    risk: Option<Range<RiskLevel>>,

    /// With one of these statuses: Created, Pending, Approved, Rejected, Canceled, Expired, Superseded, Executed
    #[arg(long = "status", short, value_name = "STATUS", value_delimiter = ',')]
    statuses: Vec<Status>,

    /// Waiting for one of these: Approval, ExternalCheck, Schedule, Dependency, Quota, ManualReview, Correction, Revalidation
    #[arg(long = "waiting-for", value_name = "REASON", value_delimiter = ',')]
    pending_reasons: Vec<PendingReason>,

    /// With decisions about: Lifecycle, Approval, VersionResolution, Execution, Discussion
    #[arg(long = "decided-about", value_name = "CATEGORY", value_delimiter = ',')]
    decision_categories: Vec<DecisionCategory>,

    /// Submitted in this time: times or days, such as 2026-11-01..2026-11-08, or 4h.. for the last four hours
    #[arg(long = "created", value_name = "FROM..TO", value_parser = times)]
    created: Option<Range<Timestamp>>,

    /// Last changed in this time
    #[arg(long = "updated", value_name = "FROM..TO", value_parser = times)]
    updated: Option<Range<Timestamp>>,

    /// With a side effect of one of these types
    #[arg(long = "side-effect", value_name = "TYPE", value_delimiter = ',')]
    side_effect_types: Vec<String>,

    /// With a side effect under one of these contracts
    #[arg(long = "contract", value_name = "ID", value_delimiter = ',')]
    contract_ids: Vec<String>,

    /// With a side effect of one of these severities: Info, Warning, Error, Critical
    #[arg(long = "severity", value_name = "SEVERITY", value_delimiter = ',')]
    severities: Vec<Severity>,

    /// With a side effect that requires action, or none
    #[arg(long = "requires-action", value_name = "true|false")]
    requires_action: Option<bool>,

    /// Only what whoever acts may read: see --as
    #[arg(long)]
    visible: bool,
}

/// Sets a filter if it has values.
fn given<T>(
    query: RequestQuery,
    values: &[T],
    set: impl FnOnce(RequestQuery, &[T]) -> Result<RequestQuery, mutator_governance::InvalidValue>,
) -> Result<RequestQuery, Failure> {
    if values.is_empty() { Ok(query) } else { Ok(set(query, values)?) }
}

impl Filters {
    /// The query, in ascending order.
    pub(crate) fn query(&self, session: &Session) -> Result<RequestQuery, Failure> {
        let query = self.filter()?;
        Ok(if self.visible { query.visible_to(Viewer::of(&session.actor()?)?) } else { query })
    }

    fn filter(&self) -> Result<RequestQuery, Failure> {
        let mut query = RequestQuery::new();
        query = given(query, &self.ids, |query, values| query.with_ids(values))?;
        query = given(query, &self.unique_keys, |query, values| query.with_unique_keys(values))?;
        query = given(query, &self.state_ids, |query, values| query.with_state_ids(values))?;
        query = given(query, &self.state_types, |query, values| query.with_state_types(values))?;
        query = given(query, &self.mutation_types, |query, values| query.with_mutation_types(values))?;
        query = given(query, &self.actor_ids, |query, values| query.with_actor_ids(values))?;
        query = given(query, &self.actor_names, |query, values| query.with_actor_names(values))?;
        query = given(query, &self.correlation_ids, |query, values| query.with_correlation_ids(values))?;
        query = given(query, &self.content_types, |query, values| query.with_content_types(values))?;
        query = given(query, &self.categories, |query, values| query.with_categories(values))?;
        query = given(query, &self.tags, |query, values| query.with_any_tag(values))?;
        query = given(query, &self.all_tags, |query, values| query.with_all_tags(values))?;
        query = given(query, &self.statuses, |query, values| query.with_statuses(values.to_vec()))?;
        query = given(query, &self.pending_reasons, |query, values| query.with_pending_reasons(values.to_vec()))?;
        query =
            given(query, &self.decision_categories, |query, values| query.with_decision_categories(values.to_vec()))?;
        query = given(query, &self.side_effect_types, |query, values| query.with_side_effect_types(values))?;
        query = given(query, &self.contract_ids, |query, values| query.with_contract_ids(values))?;
        query = given(query, &self.severities, |query, values| query.with_severities(values.to_vec()))?;
        for (key, value) in &self.intent_metadata {
            query = query.with_intent_metadata(key, value.clone())?;
        }
        for (key, value) in &self.metadata {
            query = query.with_metadata(key, value.clone())?;
        }
        if let Some(Range { from, to }) = &self.blast_radius {
            query = query.with_blast_radius_between(*from, *to)?;
        }
        if let Some(Range { from, to }) = &self.risk {
            query = query.with_risk_between(*from, *to)?;
        }
        if let Some(Range { from, to }) = &self.created {
            query = query.created_between(*from, *to)?;
        }
        if let Some(Range { from, to }) = &self.updated {
            query = query.updated_between(*from, *to)?;
        }
        if let Some(required) = self.requires_action {
            query = query.requiring_action(required);
        }
        Ok(query)
    }
}

/// The same query, the newest first if asked.
pub(crate) fn in_order(query: RequestQuery, newest_first: bool) -> RequestQuery {
    if newest_first { query.in_order(SortDirection::Descending) } else { query }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::*;

    #[derive(clap::Parser)]
    struct Only {
        #[command(flatten)]
        filters: Filters,
    }

    fn read(words: &[&str]) -> Filters {
        let matches = Only::command().try_get_matches_from([&["x"], words].concat()).unwrap();
        Only::from_arg_matches(&matches).unwrap().filters
    }

    /// The fields that a query has, as its own reader lists them.
    fn fields_of_a_query() -> Vec<String> {
        let error = serde_json::from_str::<RequestQuery>(r#"{"nonsense": 1}"#).unwrap_err().to_string();
        let (_, expected) = error.split_once("expected one of ").unwrap_or_else(|| panic!("{error}"));
        expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn there_is_an_option_for_every_filter() {
        let words = [
            "--id=a,b",
            "--unique-key=restart payments",
            "--state=s",
            "--state-type=t",
            "--mutation-type=m",
            "--by=rita",
            "--by-name=Rita",
            "--correlation-id=c",
            "--content-type=text/plain",
            "--category=Access",
            "--tag=x,y",
            "--intent-metadata=k=1",
            "--metadata=k=v",
            "--blast-radius=Module..",
            "--risk=..High",
            "--status=Pending,approved",
            "--waiting-for=Approval",
            "--decided-about=Execution",
            "--created=2026-01-01..",
            "--updated=..2026-02-01",
            "--side-effect=mail",
            "--contract=k",
            "--severity=Error",
            "--requires-action=true",
        ];
        let query = in_order(read(&words).filter().unwrap_or_else(|failure| panic!("{failure}")), true);
        let query = query.visible_to(Viewer::of(&mutator_governance::ActorContext::user("mona").unwrap()).unwrap());
        let mut fields = fields_of_a_query();
        let written = serde_json::to_value(&query).unwrap();
        fields.retain(|field| written.get(field).is_none());
        assert_eq!(fields, [""; 0], "no option sets these");
        let sentence = query.to_string();
        for part in ["a or b", "submitted by rita", "Pending or Approved", "waiting for Approval", "latest first"] {
            assert!(sentence.contains(part) || part == "latest first", "{part}: {sentence}");
        }
        let all = read(&["--all-tags=x,y"]).filter().unwrap_or_else(|failure| panic!("{failure}"));
        assert!(all.to_string().contains("x and y"), "{all}");
    }
}
