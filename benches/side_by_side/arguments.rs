//! The arguments of the bench.

use std::path::PathBuf;

/// What was asked for.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) quick: bool,
    pub(crate) million: bool,
    pub(crate) awake: bool,
    pub(crate) json: Option<PathBuf>,
    /// Only rows whose name contains this.
    pub(crate) only: Option<String>,
}

const USAGE: &str = "cargo bench -p mutator-governance-benches --bench side_by_side [-- [--quick] [--million] [--awake] [--json PATH] [--only PART]]
  --quick      up to 10,000 stored requests instead of 100,000; less than two minutes
  --million    reads the queue at 1,000,000 stored requests as well; needs 12 GB of memory and some minutes more
  --awake      keeps the CPUs from sleeping, by chrt; slows all down where CPU time is rationed
  --json PATH  writes the rows as JSON as well
  --only PART  measures only: writes, get, queue, queries, throughput, format, size";

impl Arguments {
    /// Ends the program when they make no sense.
    pub(crate) fn read() -> Self {
        let mut read = Self::default();
        let mut given = std::env::args().skip(1);
        while let Some(argument) = given.next() {
            match argument.as_str() {
                // Cargo adds it.
                "--bench" => {}
                "--quick" => read.quick = true,
                "--million" => read.million = true,
                "--awake" => read.awake = true,
                "--json" => read.json = Some(given.next().unwrap_or_else(|| usage("--json needs a path")).into()),
                "--only" => read.only = Some(given.next().unwrap_or_else(|| usage("--only needs a part"))),
                other => usage(&format!("unknown argument {other:?}")),
            }
        }
        read
    }

    pub(crate) fn wants(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == part)
    }
}

fn usage(problem: &str) -> ! {
    eprintln!("{problem}\n\n{USAGE}");
    std::process::exit(2)
}
