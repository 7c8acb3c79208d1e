//! What CB-Tumblebug asks, in its order, sent by Go's `net/http` as it sends it.

use std::path::Path;
use std::process::Command;

use pmks_suites::{go_program, skip_where};

use crate::stand::{Stand, USER, printed};

#[test]
fn what_tumblebug_asks_is_answered_as_it_expects() {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/tumblebug");
    let program = match go_program(&module) {
        Ok(program) => program,
        Err(why) => return skip_where("Tumblebug's requests", &why, &["go"]),
    };
    let stand = Stand::new();
    let said = printed(Command::new(program).args([&stand.url(), USER.0, USER.1]));
    println!("{said}");
    stand.served.stop();
}
