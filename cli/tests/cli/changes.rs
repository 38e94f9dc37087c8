//! What people do with requests.

use common::Raw;
use serde_json::Value;

use crate::scene::Scene;

#[test]
fn a_request_is_submitted_approved_and_explained() {
    let scene = Scene::new();
    let submitted = scene.run("submit grant.toml --as rita --id r-1 --create --yes");
    assert_eq!(submitted, "r-1 waits for anyone with role manager to decide approval-1; step 1 of 2\n");

    let inbox = scene.run("inbox --as mona");
    assert!(inbox.contains("r-1      approval-1  "), "{inbox}");
    assert_eq!(scene.run("inbox --as sam"), "nothing\n");

    let granted = scene.run("approve r-1 --as mona --reason 'She leads billing' --yes");
    assert_eq!(granted, "r-1 waits for anyone in group security to decide approval-2; step 2 of 2\n");
    let explained = scene.run("explain r-1 --as sam");
    assert!(explained.contains("2     1        approval-2  group security  open\n"), "{explained}");
    assert!(explained.ends_with("\nsam can decide now: approval-2\n"), "{explained}");

    assert_eq!(scene.run("approve r-1 --as eve --group security --yes"), "r-1 is approved and can be executed\n");
    let ready = scene.run("ready");
    assert!(ready.contains("RoleGrant") && ready.contains("grant-role on tenant:acme"), "{ready}");

    let shown = scene.run("show r-1");
    for part in [
        "request      r-1, revision 2\n",
        "now          Approved: is approved and can be executed\n",
        "by rita\n",
        "written for  version v7\n",
        "approval-1  1     role manager    Approved  mona (Mona)  ",
        "Lifecycle/Submitted  rita\n",
        "Approval/Granted     mona (Mona)  approval-1: She leads billing\n",
        "Approval/Granted     eve          approval-2\n",
        "Lifecycle/Approved   eve          all approval requirements met\n",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
}

#[test]
fn every_command_of_people_changes_what_it_says() {
    let scene = Scene::new();
    for id in ["sent-back", "handed-on", "rejected", "canceled", "withdrawn"] {
        scene.submit(id);
    }
    let commented = scene.run("comment sent-back 'Which plan?' --as sam --yes --json");
    let request: Value = serde_json::from_str(&commented).unwrap();
    assert_eq!(request["decisions"][3]["metadata"]["text"], "Which plan?");

    let sent_back = scene.run("request-changes sent-back --reason 'Name the plan' --as mona --yes");
    assert!(sent_back.contains("correct"), "{sent_back}");
    let handed_on = scene.run("delegate handed-on approval-1 --to paul --reason 'On leave' --as mona --yes");
    assert!(handed_on.contains("paul (delegated by mona)"), "{handed_on}");
    let rejected =
        scene.run("reject rejected --as mona --reason 'Too risky' --code too-risky --code-category risk --yes");
    assert!(rejected.contains("rejected"), "{rejected}");
    let rejected = scene.run("show rejected --json");
    assert!(rejected.contains(r#""code": "too-risky""#) && rejected.contains(r#""category": "risk""#), "{rejected}");
    assert_eq!(
        scene.run("cancel canceled --as rita --reason 'Not needed' --yes"),
        "canceled was canceled by rita: Not needed\n"
    );
    scene.run("approve withdrawn --as mona --yes");
    let withdrawn = scene.run("withdraw withdrawn --as mona --reason 'Too early' --yes");
    assert!(withdrawn.contains("role manager to decide approval-1"), "{withdrawn}");

    let decisions =
        scene.run("decisions --kind Approval/Delegated,Approval/Withdrawn,Lifecycle/Canceled --decided 1h..");
    for part in ["Approval/Delegated  mona (Mona)", "Approval/Withdrawn  mona (Mona)", "Lifecycle/Canceled  rita"] {
        assert!(decisions.contains(part), "{part:?} is not in\n{decisions}");
    }
    let single = scene.run("approve handed-on --approval approval-1 --as paul --yes");
    assert!(single.contains("step 2 of 2"), "{single}");
    scene.run("approve handed-on --as eve --group security --acting-for sam --grounds leave --yes");
    assert!(scene.run("show handed-on").contains("eve for sam (leave)"));
}

#[test]
fn several_requests_are_done_by_one_call_and_a_failure_keeps_none_back() {
    let scene = Scene::new();
    scene.submit("a");
    scene.submit("c");
    let ended = scene.call("approve a b c --as mona --yes");
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert_eq!(ended.out.lines().count(), 2, "{}", ended.out);
    assert!(ended.err.contains("b: request b does not exist") && ended.err.contains("1 of 3 failed"), "{}", ended.err);
    assert_eq!((scene.revision("a"), scene.revision("c")), (1, 1));
}

#[test]
fn a_repeated_call_with_a_write_id_is_done_once() {
    const ONE: &str = "07070707070707070707070707070707";
    const OTHER: &str = "08080808080808080808080808080808";
    let scene = Scene::new();
    for _ in 0..2 {
        scene.run(&format!("submit grant.toml --as rita --id r-1 --create --yes --write-id {ONE}"));
    }
    for _ in 0..2 {
        scene.run(&format!("approve r-1 --as mona --yes --write-id {OTHER}"));
    }
    assert_eq!(scene.revision("r-1"), 1);
    assert_eq!(scene.run("list --count"), "1\n");
    let reused = scene.call(&format!("cancel r-1 --as rita --yes --write-id {OTHER}"));
    assert_eq!(reused.code, 13, "{}", reused.err);
}

#[test]
fn what_is_due_expires() {
    let scene = Scene::new();
    let draft = r#"{
        "target": { "state_id": "s", "state_type": "State", "mutation_type": "Change" },
        "intent": { "operation": "change", "category": "Test" },
        "approval_rules": [{ "targets": [{ "actor_ids": ["mona"] }], "expires_after": "PT0.05S" }]
    }"#;
    scene.write("short.json", draft);
    scene.run("submit short.json --as rita --id short --create --yes");
    scene.submit("long");
    std::thread::sleep(std::time::Duration::from_millis(100));
    let not_asked = scene.call("expire-due --as sweeper");
    assert_eq!(not_asked.code, 3, "{}", not_asked.err);
    assert_eq!(scene.run("expire-due --as sweeper --yes"), "expired in 1 request, escalated in 0\n");
    assert_eq!(scene.run("expire-due --as sweeper --yes"), "expired in 0 requests, escalated in 0\n");
    assert!(scene.run("list --id short,long").contains("Rejected"));
}

#[test]
fn policies_add_what_they_demand() {
    let scene = Scene::new();
    scene.write(
        "policies.toml",
        "[[policies]]\nname = \"access\"\nwhen = { categories = [\"Access\"] }\ndeadline = \"P2D\"\n",
    );
    let preview = scene.run("submit grant.toml --as rita --policies policies.toml --create --dry-run");
    assert!(preview.contains("request expires in 4"), "{preview}");
    assert_eq!(scene.run("list --count"), "0\n");
    let checked = scene.run("policy check policies.toml --draft grant.toml --as rita");
    assert!(checked.contains("access  1") && checked.contains("grant-role on tenant:acme"), "{checked}");

    scene.write(
        "policies.toml",
        "[[policies]]\nname = \"access\"\n\n[[policies]]\nname = \"late\"\ndeadlin = \"P2D\"\n",
    );
    let wrong = scene.call("policy check policies.toml");
    assert_eq!(wrong.code, 18, "{}", wrong.err);
    assert!(wrong.err.contains("policies.toml") && wrong.err.contains("[policy."), "{}", wrong.err);
}

const FILL: &str =
    "for _ = 1, 110000 do redis.call('XADD', KEYS[1], '*', 'a', 'b') end return redis.call('XLEN', KEYS[1])";

/// The namespace's programs decide how much of the feed is kept; what this one writes by must not be less.
#[test]
fn a_change_does_not_shorten_the_feed() {
    let scene = Scene::new();
    scene.submit("r-1");
    let feed = format!("{{{}:0}}:feed", scene.namespace);
    let mut raw = Raw::to(&scene.url);
    let before: u64 = raw.ask(&["EVAL", FILL, "1", &feed]);
    assert_eq!(before, 110_001, "the feed has another key");
    scene.run("comment r-1 text --as mona --yes");
    let after: u64 = raw.ask(&["XLEN", &feed]);
    assert_eq!(after, before + 1);
}
