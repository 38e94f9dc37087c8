//! Rounds in which every column works in turn, so that what else the machine does strikes all of them alike.

use std::time::{Duration, Instant};

/// What one column measured, one figure a round.
#[derive(Clone, Default)]
pub(crate) struct Series(Vec<f64>);

/// The columns of one row.
#[derive(Clone, Default)]
pub(crate) struct Columns {
    pub(crate) ours: Series,
    pub(crate) seed: Option<Series>,
    pub(crate) floor: Option<Series>,
}

/// How often a row is measured.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    pub(crate) rounds: usize,
    /// How many operations a column does in its turn. The quickest of them is the figure of the round: the others waited
    /// for something else that the machine does.
    pub(crate) operations: usize,
    /// No round begins after this time; three are measured in any case.
    pub(crate) at_most: Duration,
}

type Work<'a> = &'a mut (dyn FnMut() + 'a);

impl Rounds {
    /// Microseconds of each column. The columns take turns in going first.
    pub(crate) fn times<'a>(self, ours: Work<'a>, seed: Option<Work<'a>>, floor: Option<Work<'a>>) -> Columns {
        let mut columns = [Some(ours), seed, floor];
        let mut series = [(); 3].map(|()| Series::default());
        let began = Instant::now();
        // The first round fills caches, pools and script tables, and is not counted.
        for round in 0..=self.rounds {
            if round > 3 && began.elapsed() > self.at_most {
                break;
            }
            for turn in 0..columns.len() {
                let place = (round + turn) % columns.len();
                let Some(work) = &mut columns[place] else { continue };
                let quickest = (0..self.operations).map(|_| microseconds(work)).fold(f64::INFINITY, f64::min);
                if round > 0 {
                    series[place].add(quickest);
                }
            }
        }
        let present = |place: usize| columns[place].is_some().then(|| series[place].clone());
        Columns { ours: series[0].clone(), seed: present(1), floor: present(2) }
    }
}

fn microseconds(work: Work<'_>) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64() * 1e6
}

impl Columns {
    /// The same, of work that did so many things at once.
    pub(crate) fn for_each_of(self, things: usize) -> Self {
        let divide = |series: Series| Series(series.0.into_iter().map(|figure| figure / things as f64).collect());
        Self { ours: divide(self.ours), seed: self.seed.map(divide), floor: self.floor.map(divide) }
    }
}

impl Series {
    pub(crate) fn of(figure: f64) -> Self {
        Self(vec![figure])
    }

    pub(crate) fn add(&mut self, figure: f64) {
        self.0.push(figure);
    }

    pub(crate) fn median(&self) -> f64 {
        median(self.0.clone())
    }

    /// The least figure: what is left when nothing else disturbs.
    pub(crate) fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Half of the distance between the quartiles, as a share of the median.
    pub(crate) fn spread(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |share: usize| sorted[(sorted.len() - 1) * share / 4];
        (at(3) - at(1)) / 2.0 / self.median()
    }

    /// The median over the rounds of this figure by that of the same round.
    pub(crate) fn times_of(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(one, other)| one / other).collect())
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { f64::midpoint(figures[middle - 1], figures[middle]) }
}
