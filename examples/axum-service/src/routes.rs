//! The routes, who calls them, and what an error becomes.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header::RETRY_AFTER, request::Parts};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt as _, stream};
use mutator_governance::nonblocking::Governance;
use mutator_governance::workflow::Command;
use mutator_governance::{
    ActorContext, ApprovalRule, Decision, Error, ErrorReport, FeedPosition, Intent, InvalidValue, MutationRequest,
    Page, PageRequest, Payload, PendingApprovalRow, Rejection, RequestDraft, RequestId, Target, Timestamp, Viewer,
    WaitUntil, WriteId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::{log, openapi};

/// No call takes longer, so that the service stops within this time: a feed that ends is continued by a new call.
const LONGEST_CALL: Duration = Duration::from_secs(20);

pub fn router(governance: Governance) -> Router {
    Router::new()
        .route("/requests", post(submit))
        .route("/inbox", get(inbox))
        .route("/requests/{id}/approve", post(approve))
        .route("/requests/{id}/reject", post(reject))
        .route("/requests/{id}/wait", get(wait))
        .route("/requests/{id}/history", get(history))
        .route("/feed", get(feed))
        .route("/openapi.json", get(async || Json(openapi::document())))
        .with_state(governance)
}

/// What a person asks for. The service decides whose approval it needs.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleGrant {
    pub tenant: String,
    pub role: String,
    pub to: String,
    /// Until when it has to be decided.
    pub decide_by: Timestamp,
}

/// Why somebody approves or rejects.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    pub reason: String,
}

#[derive(Deserialize)]
struct Patience {
    seconds: u64,
}

type Answer<T> = Result<Json<T>, Problem>;
type Body<T> = Result<Json<T>, JsonRejection>;

async fn submit(
    State(governance): State<Governance>,
    Caller(actor, write_id): Caller,
    grant: Body<RoleGrant>,
) -> Answer<MutationRequest> {
    let Json(grant) = grant.map_err(unreadable)?;
    let target = Target::new(format!("tenant:{}", grant.tenant), "Tenant", "RoleGrant")?;
    let intent = Intent::new("grant-role", "Access")?.described_as(format!("{} for {}", grant.role, grant.to));
    let draft = RequestDraft::new(target, intent, actor)
        // A repetition has the same key, so it names the same request.
        .with_id(RequestId::new(write_id.to_string())?)
        .with_payload(Payload::json(&grant)?)
        .requires_approval(ApprovalRule::role("manager")?.expiring_at(grant.decide_by))
        .requires_approval(ApprovalRule::group("security")?.expiring_at(grant.decide_by));
    Ok(Json(governance.submit_as(draft, write_id).await?))
}

async fn inbox(State(governance): State<Governance>, Caller(actor, _): Caller) -> Answer<Page<PendingApprovalRow>> {
    Ok(Json(governance.inbox(&actor, &PageRequest::first()).await?))
}

async fn approve(
    State(governance): State<Governance>,
    Path(id): Path<String>,
    Caller(actor, write_id): Caller,
    verdict: Body<Verdict>,
) -> Answer<MutationRequest> {
    let approve = Command::approve(actor.because(verdict.map_err(unreadable)?.0.reason));
    Ok(Json(governance.apply_as(id, &approve, write_id).await?))
}

async fn reject(
    State(governance): State<Governance>,
    Path(id): Path<String>,
    Caller(actor, write_id): Caller,
    verdict: Body<Verdict>,
) -> Answer<MutationRequest> {
    let rejection = Rejection::new("rejected", verdict.map_err(unreadable)?.0.reason);
    Ok(Json(governance.apply_as(id, &Command::reject(actor, Some(rejection)), write_id).await?))
}

/// Answers when the request is decided, or after these seconds, with the request as it is then.
async fn wait(
    State(governance): State<Governance>,
    Path(id): Path<String>,
    Caller(actor, _): Caller,
    Query(patience): Query<Patience>,
) -> Answer<MutationRequest> {
    let timeout = Duration::from_secs(patience.seconds).min(LONGEST_CALL);
    let view = governance.visible_to(Viewer::of(&actor)?);
    Ok(Json(view.wait(id, WaitUntil::Decided, timeout).await?.into_request()))
}

async fn history(
    State(governance): State<Governance>,
    Path(id): Path<String>,
    Caller(actor, _): Caller,
) -> Answer<Vec<Decision>> {
    let view = governance.visible_to(Viewer::of(&actor)?);
    let request = view.get(&*id).await?.ok_or(Error::not_found(RequestId::new(id)?))?;
    Ok(Json(request.decisions.to_vec()))
}

/// The pages of the change feed from now on, or from where a client that connects again has read to.
async fn feed(
    State(governance): State<Governance>,
    _: Caller,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let from: FeedPosition = match headers.get("last-event-id") {
        Some(id) => id.to_str().unwrap_or_default().parse()?,
        None => governance.end_of_feed().await?,
    };
    let pages = stream::unfold((governance, from), async |(governance, from)| {
        loop {
            match governance.read_feed(&from, 100).await {
                Ok(page) if page.next != from => {
                    let event = Event::default().id(page.next.to_string()).retry(Duration::from_millis(100));
                    let event = event.json_data(&page).unwrap_or_default();
                    return Some((Ok(event), (governance, page.next)));
                }
                Ok(_) => {}
                Err(error) => log(format_args!("the feed cannot be read: {error}")),
            }
            sleep(Duration::from_millis(500)).await;
        }
    });
    Ok(Sse::new(Box::pin(pages).take_until(Box::pin(sleep(LONGEST_CALL)))).keep_alive(KeepAlive::default()))
}

/// Who calls, as the proxy says that has authenticated them (nobody else may reach this service), and the write id that
/// makes a repetition of the call harmless.
struct Caller(ActorContext, WriteId);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let list = |name| header(name).unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty());
        let missing = || Problem(StatusCode::UNAUTHORIZED, InvalidValue::new("x-user", "is missing").into());
        let actor = ActorContext::user(header("x-user").ok_or_else(missing)?)?;
        let write_id = header("idempotency-key").map_or_else(|| Ok(WriteId::generate()), str::parse)?;
        Ok(Self(actor.with_roles(list("x-roles"))?.with_groups(list("x-groups"))?, write_id))
    }
}

/// An error as a response.
struct Problem(StatusCode, Error);

impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        let error = error.into();
        Self(StatusCode::from(&error), error)
    }
}

fn unreadable(body: JsonRejection) -> Problem {
    Problem(body.status(), InvalidValue::new("body", body.body_text()).into())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(status, error) = self;
        let mut report = ErrorReport::from(&error);
        if status.is_server_error() {
            log(&error); // It may name hosts and keys, which are nobody else's business.
            report.message = "the service has a problem, which was logged".to_owned();
        }
        (status, error.retry_after_header().map(|time| [(RETRY_AFTER, time)]), Json(report)).into_response()
    }
}
