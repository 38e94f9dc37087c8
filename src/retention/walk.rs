//! The walk of a policy over the requests of its rules, without I/O.

use super::report::number_of;
use super::{DueRequest, Judgement, KeptBecause, KeptRequest, RetentionOptions, RetentionPolicy, RetentionPosition};
use super::{RetentionReport, RetentionRule};
use crate::error::{InvalidValue, Result};
use crate::query::{Count, Page, PageRequest, RequestQuery};
use crate::request::{MutationRequest, Timestamp};

/// One step: which page to read, and what its requests are.
pub(crate) struct Walk<'a> {
    policy: &'a RetentionPolicy,
    position: RetentionPosition,
    limit: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn begin(policy: &'a RetentionPolicy, options: &RetentionOptions, now: Timestamp) -> Self {
        let first = || RetentionPosition { as_of: now, rule: 0, after: None, done: 0, total: None };
        let position = options.from().cloned().unwrap_or_else(first);
        Self { policy, position, limit: options.page_limit() }
    }

    /// The queries to count, at the beginning of a pass.
    pub(crate) fn queries_to_count(&self) -> Result<Vec<RequestQuery>> {
        let is_first = self.position.total.is_none();
        let rules = self.policy.rules().iter().filter(|_| is_first);
        rules.map(|rule| self.query_of(rule)).collect()
    }

    pub(crate) fn count(&mut self, counted: Count) {
        self.position.total = Some(self.position.total.unwrap_or(0).saturating_add(number_of(counted)));
    }

    /// What the policy says of a request at the time of the pass.
    #[cfg(feature = "archive")]
    pub(crate) fn judge(&self, request: &MutationRequest) -> Judgement<'_> {
        self.policy.judge(request, self.position.as_of)
    }

    /// The page to read.
    ///
    /// # Errors
    /// [`InvalidValue`] when the position is of a policy with more rules.
    pub(crate) fn page(&self) -> Result<(RequestQuery, PageRequest)> {
        let rule = self.rule()?;
        let page = PageRequest::of(self.limit)?;
        let page = self.position.after.clone().map_or_else(|| page.clone(), |cursor| page.clone().after(cursor));
        Ok((self.query_of(rule)?, page))
    }

    fn rule(&self) -> Result<&'a RetentionRule> {
        let rule = self.policy.rules().get(self.position.rule);
        Ok(rule.ok_or_else(|| InvalidValue::new("retention position", "is of another policy; begin a new pass"))?)
    }

    /// Those of the rule's requests that may be due.
    fn query_of(&self, rule: &RetentionRule) -> Result<RequestQuery> {
        Ok(rule.requests().clone().ended_by(self.position.as_of.saturating_sub(rule.after()))?)
    }

    /// Divides the requests of the page into those that are due by this rule, which it returns, and those that stay. A request
    /// of an earlier rule is neither: it was looked at then.
    pub(crate) fn divide(
        &self,
        page: Page<MutationRequest>,
        report: &mut RetentionReport,
    ) -> Result<(&'a RetentionRule, Vec<MutationRequest>)> {
        let rule = self.rule()?;
        let mut due = Vec::new();
        let found = page.items.len() as u64;
        for request in page.items {
            match self.policy.judge(&request, self.position.as_of) {
                Judgement::Due(decides) if decides.name() == rule.name() => {
                    report.due.push(DueRequest {
                        id: request.id.clone(),
                        revision: request.revision(),
                        status: request.state.status(),
                        updated_at: request.updated_at,
                        rule: rule.name().clone(),
                        action: rule.action(),
                    });
                    due.push(request);
                }
                Judgement::Due(_) | Judgement::Kept(KeptBecause::NotEnded | KeptBecause::NoRule) => {}
                Judgement::Kept(because) => report.kept.push(KeptRequest { id: request.id.clone(), because }),
            }
        }
        report.failed.extend(page.unreadable.into_iter().map(|unreadable| (unreadable.id.clone(), unreadable.into())));
        let next = match page.next {
            Some(cursor) => Some((self.position.rule, Some(cursor))),
            None => Some((self.position.rule + 1, None)).filter(|(rule, _)| *rule < self.policy.rules().len()),
        };
        report.done = self.position.done.saturating_add(found);
        report.total = self.position.total;
        report.next =
            next.map(|(rule, after)| RetentionPosition { rule, after, done: report.done, ..self.position.clone() });
        Ok((rule, due))
    }
}
