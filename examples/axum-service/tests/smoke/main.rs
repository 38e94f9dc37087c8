//! The service as its users meet it: the program itself, a real HTTP client, a real redis-server.

#[path = "../../../../tests/common/server/process.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod process;
mod service;
#[path = "../../../../tests/common/server/supervisor.rs"]
mod supervisor;

use std::io::{BufRead, BufReader};
use std::time::Duration;

use mutator_governance::Timestamp;
use serde_json::{Value, json};

use service::{Call, RedisServer, Service, wait_until};

fn grant() -> Value {
    let decide_by = Timestamp::now().saturating_add(Duration::from_secs(3_600));
    json!({ "tenant": "acme", "role": "billing", "to": "erin", "decide_by": decide_by })
}

fn submit(service: &Service) -> String {
    let (status, request) = service.post("/requests", &Call::by("rita"), &grant());
    assert_eq!((status, &request["state"]["status"]), (200, &json!("Pending")), "{request}");
    request["id"].as_str().unwrap().to_owned()
}

fn approve(service: &Service, id: &str, by: &Call) -> (u16, Value) {
    service.post(&format!("/requests/{id}/approve"), by, &json!({ "reason": "Erin leads billing" }))
}

fn granted(service: &Service, id: &str) -> usize {
    let (_, decisions) = service.get(&format!("/requests/{id}/history"), &Call::by("rita"));
    decisions.as_array().unwrap().iter().filter(|decision| decision["kind"] == "Granted").count()
}

#[test]
fn a_grant_goes_from_submission_to_the_mail_about_its_execution() {
    let redis = RedisServer::start();
    let service = Service::start(&redis, &[]);
    let (mona, sam) = (Call::by("mona").roles("manager"), Call::by("sam").groups("staff, security"));
    let mut feed = BufReader::new(service.stream("/feed", None));

    let id = submit(&service);
    let (_, inbox) = service.get("/inbox", &mona);
    assert_eq!(inbox["items"][0]["request"]["id"], json!(id), "{inbox}");
    assert_eq!(service.get("/inbox", &sam).1["items"], json!([]));
    let waited = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| service.get(&format!("/requests/{id}/wait?seconds=15"), &mona));
        assert_eq!(approve(&service, &id, &mona).0, 200);
        assert_eq!(approve(&service, &id, &sam).0, 200);
        waiting.join().unwrap()
    });
    assert_eq!(waited.0, 200);
    assert_ne!(waited.1["state"]["status"], "Pending");

    wait_until("the mail is sent", || service.has_logged(&format!("mail to rita: {id} is Executed, by worker")));
    let page = next_page(&mut feed);
    assert_eq!(page.1["entries"][0]["id"], json!(id), "{page:?}");
    // A client that was cut off reads on: what it gets next is not what it had.
    let mut feed = BufReader::new(service.stream("/feed", Some(&page.0)));
    assert_ne!(next_page(&mut feed).1["entries"][0], page.1["entries"][0]);

    let (status, late) = approve(&service, &id, &sam);
    assert_eq!((status, &late["kind"]), (409, &json!("Conflict")), "{late}");
}

/// The id and the data of the next event.
fn next_page(feed: &mut impl BufRead) -> (String, Value) {
    let (mut id, mut data) = (String::new(), Value::Null);
    for line in feed.lines() {
        match line.unwrap().split_once(": ") {
            Some(("id", text)) => id = text.to_owned(),
            Some(("data", text)) => data = serde_json::from_str(text).unwrap(),
            _ if !data.is_null() => return (id, data),
            _ => {}
        }
    }
    panic!("the feed ended")
}

#[test]
fn a_rejection_is_final_and_mailed_with_who_rejected() {
    let redis = RedisServer::start();
    let service = Service::start(&redis, &[]);
    let id = submit(&service);
    let mona = Call::by("mona").roles("manager");
    let body = json!({ "reason": "Erin leaves in May" });
    let (status, request) = service.post(&format!("/requests/{id}/reject"), &mona, &body);
    assert_eq!((status, &request["state"]["status"]), (200, &json!("Rejected")), "{request}");
    let rejected = request["decisions"].as_array().unwrap().iter().find(|decision| decision["kind"] == "Rejected");
    assert_eq!(rejected.unwrap()["reason"], body["reason"], "{request}");
    wait_until("the mail is sent", || service.has_logged(&format!("mail to rita: {id} is Rejected, by mona")));
}

#[test]
fn a_call_repeated_with_its_key_takes_effect_once() {
    let redis = RedisServer::start();
    let service = Service::start(&redis, &[]);
    let rita = Call::by("rita").key("0123456789abcdef0123456789abcdef");
    let body = grant();
    let (first, again) = (service.post("/requests", &rita, &body), service.post("/requests", &rita, &body));
    assert_eq!(first, again);
    let id = first.1["id"].as_str().unwrap();

    let mona = Call::by("mona").roles("manager").key("fedcba9876543210fedcba9876543210");
    let clicks = std::thread::scope(|scope| {
        let clicks: Vec<_> = (0..2).map(|_| scope.spawn(|| approve(&service, id, &mona))).collect();
        clicks.into_iter().map(|click| click.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!((clicks[0].0, &clicks[0]), (200, &clicks[1]));
    assert_eq!(granted(&service, id), 1);

    // Without the key it is another call, and there is nothing left for her to decide.
    let (status, error) = approve(&service, id, &Call::by("mona").roles("manager"));
    assert_eq!((status, &error["code"]), (409, &json!("approval.already_decided")), "{error}");
    assert_eq!(granted(&service, id), 1);
}

#[test]
fn who_may_not_and_what_is_wrong_are_said_in_words() {
    let redis = RedisServer::start();
    let service = Service::start(&redis, &[]);
    let id = submit(&service);
    let expect = |(status, error): (u16, Value), expected: u16, sentence: &str| {
        let message = error["message"].as_str().unwrap();
        assert!(status == expected && message.contains(sentence), "{status}: {error}");
    };
    let own = approve(&service, &id, &Call::by("rita").roles("manager"));
    expect(own, 403, "rita submitted it, so somebody else has to decide approval-1");
    expect(approve(&service, &id, &Call::by("bob")), 403, "bob");
    expect(approve(&service, "no-such-request", &Call::by("bob")), 404, "no-such-request");
    expect(service.get("/inbox", &Call::nobody()), 401, "x-user");
    for route in ["history", "wait?seconds=0"] {
        let at = format!("/requests/{id}/{route}");
        expect(service.get(&at, &Call::by("bob")), 404, "does not exist");
        assert_eq!(service.get(&at, &Call::by("sam").groups("security")).0, 200);
    }

    let mut misspelt = grant();
    misspelt["rolle"] = json!("billing");
    expect(service.post("/requests", &Call::by("rita"), &misspelt), 422, "unknown field `rolle`");
    let mut blank = grant();
    blank["tenant"] = json!("a b\u{7}");
    assert_eq!(service.post("/requests", &Call::by("rita"), &blank).0, 422);
    expect(service.post_text("/requests", &Call::by("rita"), "{\"tenant\":"), 400, "body");
    assert_eq!(granted(&service, &id), 0);
}

#[test]
fn redis_goes_away_and_comes_back() {
    let mut redis = RedisServer::start();
    let service = Service::start(&redis, &[]);
    let id = submit(&service);
    let mona = Call::by("mona").roles("manager").key("00000000000000000000000000000001");

    redis.end();
    let (status, error) = approve(&service, &id, &mona);
    assert_eq!((status, &error["kind"]), (503, &json!("Unavailable")), "{error}");
    assert_eq!(error["message"], "the service has a problem, which was logged");

    redis.start_again();
    wait_until("the same call succeeds", || approve(&service, &id, &mona).0 == 200);
    assert_eq!(granted(&service, &id), 1);
    // Worker and notifier have lived through it.
    assert_eq!(approve(&service, &id, &Call::by("sam").groups("security")).0, 200);
    wait_until("the mail is sent", || service.has_logged(&format!("mail to rita: {id} is Executed, by worker")));
}

#[test]
fn the_nightly_sweep_records_what_has_expired() {
    let redis = RedisServer::start();
    let now = Timestamp::now();
    let at = now.saturating_add(Duration::from_secs(4)).to_string();
    let service = Service::start(&redis, &[("SWEEP_AT", &at[11..19]), ("TZ", "UTC")]);
    let mut grant = grant();
    grant["decide_by"] = json!(now.saturating_add(Duration::from_secs(2)));
    let (status, request) = service.post("/requests", &Call::by("rita"), &grant);
    assert_eq!(status, 200, "{request}");
    let id = request["id"].as_str().unwrap();
    wait_until("the sweep is done", || service.has_logged("swept: 1 expired"));
    wait_until("the mail is sent", || service.has_logged(&format!("mail to rita: {id} is Rejected, by sweeper")));
}

#[test]
fn the_openapi_document_has_every_route_and_every_schema_it_names() {
    let redis = RedisServer::start();
    let service = Service::start(&redis, &[]);
    let (status, document) = service.get("/openapi.json", &Call::nobody());
    assert_eq!(status, 200);
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let (all, of_one) = (["/feed", "/inbox", "/requests"], ["approve", "history", "reject", "wait"]);
    let of_one = of_one.map(|name| format!("/requests/{{id}}/{name}"));
    assert_eq!(paths, all.into_iter().chain(of_one.iter().map(String::as_str)).collect::<Vec<_>>());
    let text = document.to_string();
    let names: Vec<_> = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(names.len() > 20);
    for name in names {
        assert!(document.pointer(name).is_some(), "{name}");
    }
}

#[test]
fn it_stops_when_it_is_asked_to() {
    let redis = RedisServer::start();
    let mut service = Service::start(&redis, &[]);
    submit(&service);
    assert!(service.stop().success());
}
