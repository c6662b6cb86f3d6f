//! The judge of one object's history: bytes, metadata and tags.

use crate::harness::oracle::{Demand, Held, ObjectAction, ObjectOperation, object_linearizable};
use crate::harness::random::{Random, seed};
use ObjectAction::{Delete, InPlace, Read, ReadObject, ReadTags, Retag, Write};

const A: Held = Held { value: 1, meta: 1, tags: 1 };
const B: Held = Held { value: 2, meta: 2, tags: 0 };

fn write(makes: Held, demands: Demand, landed: bool) -> ObjectAction {
    Write { makes, demands, landed }
}

#[test]
fn accepts_what_is_right_and_rejects_what_is_wrong() {
    let put = |makes| write(makes, Demand::Nothing, true);
    let retag = |tags| Retag { tags, found: true };
    let in_place = |value| InPlace { value, meta: 7, tags: 8, found: true };
    let delete = |demands, landed| Delete { demands, landed };
    let retagged = Held { tags: 5, ..A };
    let moved = Held { meta: 7, tags: 8, ..A };
    // Each operation with its call and its return; none: nobody was told.
    type Case<'a> = (&'a str, Vec<(u64, Option<u64>, ObjectAction)>, bool);
    let cases: Vec<Case<'_>> = vec![
        ("nothing is there", vec![(1, Some(2), Read(None))], true),
        ("tags belong to the write", vec![(1, Some(2), put(A)), (3, Some(4), Read(Some(A)))], true),
        ("tags of another", vec![(1, Some(2), put(A)), (3, Some(4), Read(Some(retagged)))], false),
        ("retagged", vec![(1, Some(2), put(A)), (3, Some(4), retag(5)), (5, Some(6), Read(Some(retagged)))], true),
        ("tags lost", vec![(1, Some(2), put(A)), (3, Some(4), retag(5)), (5, Some(6), Read(Some(A)))], false),
        ("tags of nothing", vec![(1, Some(2), retag(5))], false),
        ("tags refused", vec![(1, Some(2), Retag { tags: 5, found: false })], true),
        (
            "tags outlive a write",
            vec![(1, Some(2), put(A)), (3, Some(4), retag(5)), (5, Some(6), put(B)), (7, Some(8), ReadTags(Some(5)))],
            false,
        ),
        (
            "in place",
            vec![(1, Some(2), put(A)), (3, Some(4), in_place(Some(1))), (5, Some(6), Read(Some(moved)))],
            true,
        ),
        (
            "a write lost to a copy in place",
            vec![
                (1, Some(2), put(A)),
                (3, Some(9), in_place(Some(1))),
                (4, Some(5), put(B)),
                (10, Some(11), Read(Some(moved))),
            ],
            false,
        ),
        (
            "in place of nobody knows what",
            vec![(1, Some(2), put(A)), (3, None, in_place(None)), (4, Some(5), ReadObject(Some((1, 7))))],
            true,
        ),
        (
            "a condition on bytes says nothing of tags",
            vec![(1, Some(2), put(A)), (3, Some(4), retag(5)), (5, Some(6), write(B, Demand::Value(1), true))],
            true,
        ),
        (
            "two firsts",
            vec![(1, Some(2), write(A, Demand::Absent, true)), (1, Some(2), write(B, Demand::Absent, true))],
            false,
        ),
        (
            "deleted on condition of another",
            vec![(1, Some(2), put(A)), (3, Some(4), delete(Demand::Value(2), true)), (5, Some(6), Read(None))],
            false,
        ),
        ("unknown and seen", vec![(1, None, put(A)), (2, Some(3), Read(Some(A))), (4, Some(5), Read(None))], false),
    ];
    for (name, operations, expected) in cases {
        let operations: Vec<_> = operations
            .into_iter()
            .map(|(called, returned, action)| ObjectOperation { called, returned, action })
            .collect();
        assert_eq!(object_linearizable(&operations).is_ok(), expected, "{name}");
    }
}

#[test]
fn true_histories_are_accepted_and_lies_are_found() {
    let mut random = Random::new(seed("true_histories_are_accepted_and_lies_are_found"));
    for round in 0..50 {
        let mut state: Option<Held> = None;
        let mut operations = Vec::new();
        for number in 1..=150_u32 {
            let instant = u64::from(number) * 10;
            let before = state;
            let demands = match (random.below(3), before) {
                (0, _) => Demand::Absent,
                (1, Some(held)) => Demand::Value(if random.chance(0.5) { held.value } else { number }),
                _ => Demand::Nothing,
            };
            let holds = match demands {
                Demand::Nothing => true,
                Demand::Absent => before.is_none(),
                Demand::Value(value) => before.is_some_and(|held| held.value == value),
            };
            let known = random.chance(0.95);
            // What nobody is told of may have done nothing.
            let happens = known || random.chance(0.5);
            let (action, after) = match random.below(7) {
                0 | 1 => {
                    let makes = Held { value: number, meta: number, tags: number };
                    (write(makes, demands, holds), if holds { Some(makes) } else { before })
                }
                2 => {
                    let landed = holds || before.is_none();
                    (Delete { demands, landed }, if landed { None } else { before })
                }
                3 => {
                    (Retag { tags: number, found: before.is_some() }, before.map(|held| Held { tags: number, ..held }))
                }
                4 => (
                    InPlace {
                        value: before.map(|held| held.value),
                        meta: number,
                        tags: number,
                        found: before.is_some(),
                    },
                    before.map(|held| Held { meta: number, tags: number, ..held }),
                ),
                5 => (ReadTags(before.map(|held| held.tags)), before),
                _ => (Read(before), before),
            };
            if happens {
                state = after;
            }
            let (early, late) = (random.below(15), random.below(15));
            let returned = known.then_some(instant + late);
            operations.push(ObjectOperation { called: instant.saturating_sub(early), returned, action });
        }
        assert_eq!(object_linearizable(&operations), Ok(()), "round {round}");
        let lie = Held { value: 9_999, meta: 0, tags: 0 };
        operations.push(ObjectOperation { called: 9_000, returned: Some(9_001), action: Read(Some(lie)) });
        assert!(object_linearizable(&operations).is_err(), "round {round}");
    }
}
