//! The fuzzing targets over their committed corpora: what was found once is found again, without a fuzzer.

#[path = "fuzz/targets/targets.rs"]
mod targets;

use std::path::Path;

/// Fewer files than this are no corpus but an accident.
const FILES_MIN: usize = 20;

#[test]
fn corpora_hold() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (target, check) in targets::ALL {
        let mut files: Vec<_> =
            std::fs::read_dir(corpora.join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= FILES_MIN, "{target} has {} files", files.len());
        for file in files {
            println!("{}", file.display());
            let data = std::fs::read(&file).unwrap();
            check(&data);
            // Whatever a good input means, a piece of it and a changed one mean something too.
            for end in 0..data.len().min(300) {
                check(&data[..end]);
                let mut changed = data.clone();
                changed[end] ^= 0x15;
                check(&changed);
            }
        }
    }
}
