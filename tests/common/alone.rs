//! Tests that measure what this process holds: each runs in a process of its own, so that nothing else takes memory or opens
//! files meanwhile.

use std::process::Command;

/// The test that a process was started for.
const VARIABLE: &str = "MUTATOR_TEST_ALONE";

/// As the first line of a test: runs the rest of it in a process of its own, which is this test binary again with this test
/// only.
#[macro_export]
macro_rules! alone {
    () => {
        fn here() {}
        if !$crate::alone::is_alone(std::any::type_name_of_val(&here)) {
            return;
        }
    };
}

/// Whether this process was started for the test that `place` lies in; if not, such a process has run it and passed.
pub fn is_alone(place: &str) -> bool {
    let test = place.strip_suffix("::here").expect("the place is a function in the test");
    let (_, test) = test.split_once("::").expect("a path begins with the name of its binary");
    if std::env::var(VARIABLE).is_ok_and(|chosen| chosen == test) {
        return true;
    }
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let output = alone.args(["--exact", test, "--nocapture"]).env(VARIABLE, test).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("1 passed"), "{test} was not found:\n{printed}");
    print!("{printed}");
    false
}
