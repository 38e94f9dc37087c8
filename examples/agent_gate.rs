//! An agent wants to call a tool and a person decides; it is killed meanwhile, and the tool runs once. Synchronous.
//!
//! `cargo run --example agent_gate` keeps the requests in memory, and an agent that is killed is dropped with all it has.
//! With `REDIS_URL=redis://host:port` they are kept in Redis until the program ends, and each agent is a process, which
//! the operating system kills.

mod agent_gate_support;
mod support;

use std::process::ExitCode;
use std::time::Duration;

use agent_gate_support::agents::{Agent, AgentProcess, Journal, show};
use agent_gate_support::{DECIDED, Killed, PATIENCE, ToolCall, WAITS, olga, order, rita, send, told};
use mutator_governance::blocking::Governance;
use mutator_governance::{ActorContext, ClaimedRequest, Error, MutationRequest, Status, WaitUntil, Waited};
use support::stores::open_blocking;
use support::{Place, Result, finish, print, say};

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<()> {
    if let Some(AgentProcess { place, step, killed }) = AgentProcess::from_arguments()? {
        let governance = Governance::builder().store(open_blocking(&place)?).build();
        return work(&governance, &ToolCall::of(&step), killed, &Journal::Output);
    }
    let place = Place::from_environment();
    print::title("A gate for the tools of an agent", "blocking", &place);
    let governance = Governance::builder().store(open_blocking(&place)?).build();
    let walked = walk_through(&governance, &place);
    let cleaned = place.clean_up();
    walked.and(cleaned)
}

/// The agent. It asks, waits and calls the tool, and keeps nothing outside the store: it can begin again at any time, and
/// several of it can run at once.
fn work(governance: &Governance, call: &ToolCall, killed: Killed, journal: &Journal) -> Result<()> {
    let request = ask(governance, call)?;
    journal.line(format!("{WAITS} to decide {}", request.id));
    let is_dropped = killed == Killed::WhileItWaits && matches!(journal, Journal::Channel(_));
    let patience = if is_dropped { Duration::from_millis(50) } else { PATIENCE };
    let decided = match governance.wait(&request.id, WaitUntil::Decided, patience)? {
        Waited::Met(request) => request,
        Waited::TimedOut(_) | Waited::OutOfReach(_) => return Ok(()),
    };
    if decided.state.status() == Status::Approved {
        journal.line(format!("{DECIDED}, and is about to call the tool"));
        match (killed, journal) {
            (Killed::RightAfterTheDecision, Journal::Channel(_)) => return Ok(()),
            // It never gets further than this: the story kills it here.
            (Killed::RightAfterTheDecision, Journal::Output) => loop {
                std::thread::sleep(PATIENCE);
            },
            _ => {}
        }
    }
    let ended = call_once(governance, decided, journal)?;
    journal.line(told(&ended, governance.clock().now()));
    Ok(())
}

/// Submits the request, or finds it: the agent may have asked before it was killed.
fn ask(governance: &Governance, call: &ToolCall) -> Result<MutationRequest> {
    let draft = call.draft(governance.clock().now())?;
    match governance.submit(draft) {
        Err(Error::AlreadyExists { id }) => {
            let request = governance.get(&id)?.ok_or("the request is missing")?;
            if call.is_asked_by(&request) {
                Ok(request)
            } else {
                Err("the plan has changed: ask under another id".into())
            }
        }
        submitted => Ok(submitted?),
    }
}

/// Calls the tool if the request is approved, and nobody does or did. Returns the request as it has ended.
fn call_once(governance: &Governance, request: MutationRequest, journal: &Journal) -> Result<MutationRequest> {
    if request.state.status() != Status::Approved {
        return Ok(request);
    }
    let order = order()?;
    match governance.execute(&request.id, &order, |request: &ClaimedRequest| send(request, journal)) {
        Ok(outcome) => Ok(outcome.request().clone()),
        // Another instance of the agent calls it, or has called it.
        Err(Error::Execution { .. }) => match governance.wait(&request.id, WaitUntil::Final, PATIENCE)? {
            Waited::Met(ended) => Ok(ended),
            _ => Err("whoever calls the tool does not end".into()),
        },
        Err(error) => Err(error.into()),
    }
}

fn walk_through(governance: &Governance, place: &Place) -> Result<()> {
    print::chapter("An agent plans to mail 214 customers. It asks, and is killed while it waits");
    let offer = ToolCall::of("offer");
    let agent = start(governance, place, "offer", Killed::WhileItWaits)?;
    show("the agent", &agent.until(WAITS)?);
    agent.kill()?;
    say!("  The agent is killed.");
    print::attempt("Rita, for whom the agent works, tries to approve it", &governance.approve(offer.id()?, rita()?));
    print::attempt("Olga approves it, while no agent runs", &governance.approve(offer.id()?, olga()?));

    print::chapter("The agent is started again: it asks the same, and finds the decision");
    let mut sent = show("the agent", &start(governance, place, "offer", Killed::Never)?.finish()?);

    print::chapter("Another mail. The agent is killed right after the decision, before it calls the tool");
    let apology = ToolCall::of("apology");
    let agent = start(governance, place, "apology", Killed::RightAfterTheDecision)?;
    show("the agent", &agent.until(WAITS)?);
    print::attempt("Olga approves it, while the agent waits", &governance.approve(apology.id()?, olga()?));
    show("the agent", &agent.until(DECIDED)?);
    agent.kill()?;
    say!("  The agent is killed.");

    print::chapter("It is started again, twice by mistake: one of the two calls the tool, both learn the result");
    let twins = [(); 2].map(|()| start(governance, place, "apology", Killed::Never));
    let [one, other] = twins.map(|twin| twin?.finish());
    sent += show("one of them", &one?) + show("the other", &other?);

    print::chapter("A mail that is rejected is not sent, and the agent learns why");
    let agent = start(governance, place, "all-caps", Killed::Never)?;
    show("the agent", &agent.until(WAITS)?);
    let rejected = governance.reject(ToolCall::of("all-caps").id()?, olga()?.because("nobody wants that"), None);
    print::step("Olga rejects it", &rejected, governance.clock().now());
    sent += show("the agent", &agent.finish()?);

    print::chapter("An approval that comes too late approves nothing");
    let late = ToolCall::of("today-only");
    let agent = start(governance, place, "today-only", Killed::WhileItWaits)?;
    show("the agent", &agent.until(WAITS)?);
    agent.kill()?;
    std::thread::sleep(late.within + Duration::from_millis(200));
    print::attempt("Olga approves it, after its deadline", &governance.approve(late.id()?, olga()?));
    governance.expire_due(ActorContext::system(), 10)?;
    sent += show("the agent", &start(governance, place, "today-only", Killed::Never)?.finish()?);

    print::chapter("The history of the second mail");
    print::timeline(&governance.get(apology.id()?)?.ok_or("the request is missing")?);
    say!("\nTwo mails were approved, and {sent} were sent.");
    if sent == 2 { Ok(()) } else { Err("the tool has to run once for each approved call".into()) }
}

/// Starts an agent: a process, or a thread with a service of its own over the same store.
fn start(governance: &Governance, place: &Place, step: &str, killed: Killed) -> Result<Agent> {
    let (store, call) = (governance.store().clone(), ToolCall::of(step));
    Agent::start(place, step, killed, move |journal| {
        std::thread::spawn(move || {
            let governance = Governance::builder().store(store).build();
            if let Err(error) = work(&governance, &call, killed, &journal) {
                journal.line(format!("error: {error}"));
            }
        });
    })
}
