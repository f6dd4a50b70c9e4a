//! Scored records name the generation that has scored.

use weir_wire::Generation;

use super::{DINNER, Plan, SCORED, SpamModel, learn_with, said, settings};

#[test]
fn scored_records_name_the_generation_of_their_worker() {
    let check = |model: &SpamModel, expected: &str| {
        let outcome = learn_with(model, vec![vec![said("a", Some(DINNER), None)]], &Plan::small(1, 1, 1));
        let outputs: Vec<_> = outcome.outputs.iter().filter(|output| output.stream == SCORED).collect();
        let scored = weir_wire::scored::parse(outputs[0].value.as_deref().unwrap()).unwrap();
        assert_eq!((outputs.len(), &*scored.model.generation), (1, expected));
    };
    let model = SpamModel::new(settings());
    check(&model, "g1");
    check(&model.in_generation("g12".parse::<Generation>().unwrap()), "g12");
}
