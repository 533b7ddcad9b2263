//! A host of one worker, for a test that kills it: `host LAUNCHER NODE PORT` calls a script that
//! greets a port of 127.0.0.1 and then never does anything else, not even listen to its host.

use std::collections::BTreeMap;
use std::sync::Arc;

use script::{NodeRuntime, PoolSettings, Program, Runtime, ScriptName, ScriptPool};

const SCRIPT: &str = "function login() {
    const socket = require('net').connect(configuration.PORT, '127.0.0.1');
    socket.on('connect', () => { socket.write('here'); for (;;); });
}";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [launcher, node, port] = arguments.as_slice() else {
        eprintln!("host LAUNCHER NODE PORT");
        return;
    };
    let runtime = Runtime::Node(NodeRuntime {
        command: node.into(),
        modules: None,
    });
    let pool = ScriptPool::new(PoolSettings::new(launcher.into(), runtime));
    let scripts = BTreeMap::from([(ScriptName::Login, SCRIPT.to_owned())]);
    let configuration = BTreeMap::from([("PORT".to_owned(), port.as_str().into())]);
    if let Ok(program) = Program::new("con_host".into(), scripts, configuration, false) {
        pool.login(&Arc::new(program), "ann@example.com", &"p".into())
            .await;
    }
}
