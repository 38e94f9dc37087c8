//! Matches people with the grants that are missing: one person for each, by augmenting paths.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// An approval, as the matching sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    /// The demand it belongs to.
    pub(super) demand: usize,
    /// Who could take it.
    pub(super) people: Vec<usize>,
}

/// Seats matched with people: one for each.
#[derive(Default)]
struct Matching {
    person_of: BTreeMap<usize, usize>,
    seat_of: BTreeMap<usize, usize>,
}

/// Finds different people for as many seats of each demand as it needs. The error is the first demand for which there
/// are too few.
pub(super) fn fill(seats: &[Seat], needs: &[u32]) -> Result<(), usize> {
    let mut matching = Matching::default();
    for (demand, need) in needs.iter().enumerate() {
        for _ in 0..*need {
            if !matching.add(seats, demand) {
                return Err(demand);
            }
        }
    }
    Ok(())
}

impl Matching {
    /// Finds a person for one more seat of this demand; if all its people have seats, finds others for those, or other
    /// seats of the same demands.
    fn add(&mut self, seats: &[Seat], demand: usize) -> bool {
        // For each person asked: the seat that wants them, and the person who would leave another seat for it.
        let mut asked: BTreeMap<usize, (usize, Option<usize>)> = BTreeMap::new();
        let mut expanded = BTreeSet::new();
        let mut wanting = VecDeque::from([(demand, None)]);
        while let Some((demand, leaver)) = wanting.pop_front() {
            let left = leaver.and_then(|person| self.seat_of.get(&person).copied());
            let is_new = expanded.insert(demand);
            for (place, seat) in seats.iter().enumerate().filter(|(_, seat)| seat.demand == demand) {
                let is_free = is_new && !self.person_of.contains_key(&place);
                if !is_free && left != Some(place) {
                    continue;
                }
                for person in seat.people.iter().copied() {
                    if asked.contains_key(&person) {
                        continue;
                    }
                    asked.insert(person, (place, leaver));
                    let Some(holds) = self.seat_of.get(&person) else {
                        self.seat(person, &asked);
                        return true;
                    };
                    let demand = seats.get(*holds).map_or(demand, |seat| seat.demand);
                    wanting.push_back((demand, Some(person)));
                }
            }
        }
        false
    }

    /// Gives the free person the seat that wants them, the person who leaves that seat the next, and so on.
    fn seat(&mut self, free: usize, asked: &BTreeMap<usize, (usize, Option<usize>)>) {
        let mut next = Some(free);
        while let Some(person) = next {
            let Some((place, leaver)) = asked.get(&person) else { return };
            let left = self.seat_of.insert(person, *place);
            if let Some(left) = left.filter(|left| self.person_of.get(left) == Some(&person)) {
                self.person_of.remove(&left);
            }
            self.person_of.insert(*place, person);
            next = *leaver;
        }
    }
}

/// The shortest way to free a place for a newcomer: the place they take, then for each place of the way but the last the
/// one its holder moves to. `first` are the places the newcomer fits, `next` those that the holder of a place fits.
pub(super) fn way_to(
    end: usize,
    first: impl IntoIterator<Item = usize>,
    next: impl Fn(usize) -> Vec<usize>,
) -> Option<Vec<usize>> {
    let mut came_from: BTreeMap<usize, Option<usize>> = BTreeMap::new();
    let mut open: VecDeque<usize> = VecDeque::new();
    for place in first {
        came_from.entry(place).or_insert_with(|| {
            open.push_back(place);
            None
        });
    }
    while let Some(place) = open.pop_front() {
        if place == end {
            let mut way = vec![end];
            let mut before = came_from.get(&end).copied().flatten();
            while let Some(place) = before {
                way.push(place);
                before = came_from.get(&place).copied().flatten();
            }
            way.reverse();
            return Some(way);
        }
        for neighbour in next(place) {
            came_from.entry(neighbour).or_insert_with(|| {
                open.push_back(neighbour);
                Some(place)
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries everybody for each seat, or nobody.
    fn tried(seats: &[Seat], needs: &[u32], taken: &mut Vec<usize>, got: &mut Vec<u32>) -> bool {
        let Some((first, rest)) = seats.split_first() else {
            return needs.iter().zip(got.iter()).all(|(need, got)| got >= need);
        };
        for person in &first.people {
            if taken.contains(person) {
                continue;
            }
            taken.push(*person);
            got[first.demand] += 1;
            let found = tried(rest, needs, taken, got);
            got[first.demand] -= 1;
            taken.pop();
            if found {
                return true;
            }
        }
        tried(rest, needs, taken, got)
    }

    #[test]
    fn every_demand_is_filled_exactly_if_it_can_be() {
        let choices: [&[usize]; 7] = [&[], &[0], &[1], &[0, 1], &[1, 2], &[0, 1, 2], &[3]];
        let mut cases = 0;
        for code in 0..7_usize.pow(4) {
            let people = |place: u32| choices[code / 7_usize.pow(place) % 7].to_vec();
            for split in [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 2]] {
                let seats: Vec<Seat> =
                    (0..4).map(|place| Seat { demand: split[place as usize], people: people(place) }).collect();
                for needs in [[1, 0, 0], [2, 1, 0], [2, 2, 0], [1, 2, 1], [3, 1, 1], [1, 1, 1]] {
                    let can_be = tried(&seats, &needs, &mut Vec::new(), &mut vec![0; 3]);
                    assert_eq!(fill(&seats, &needs).is_ok(), can_be, "{seats:?} {needs:?}");
                    cases += usize::from(can_be);
                }
            }
        }
        assert!(cases > 1_000, "{cases}");
    }

    #[test]
    fn a_way_is_the_shortest_and_ends_where_it_should() {
        let next = |place: usize| [vec![1, 2], vec![3], vec![4], vec![4], vec![]][place].clone();
        assert_eq!(way_to(4, [0], next), Some(vec![0, 2, 4]));
        assert_eq!(way_to(4, [4, 0], next), Some(vec![4]));
        assert_eq!(way_to(0, [1], next), None);
    }
}
