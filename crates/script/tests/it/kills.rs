//! Somebody kills workers at random while four connections are under load: a call that was not in
//! flight at a kill is answered, and rightly; one that was is an outage, and one kill costs one call.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::Password;
use rustix::process::{Pid, Signal, kill_process};
use script::{FailureKind, LoginOutcome, Program, ScriptPool};
use tokio::task::JoinSet;

use crate::rig::{Engine, launcher, login_script, settings};

const KILLING: Duration = Duration::from_mins(1);
const CONNECTIONS: usize = 4;
/// More than a connection has workers: some calls wait.
const CALLERS: usize = 6;

/// Takes a few milliseconds, and says of whom it is: even numbers have the right password.
const ECHO: &str = "function login(email, password, callback) {
    const number = Number(email.split('-')[1]);
    setTimeout(() => {
        if (number % 2 === 1) return callback(new WrongUsernameOrPasswordError(email));
        callback(null, { user_id: `${configuration.SECRET}|${email}` });
    }, number % 7);
}";

/// A call, from before it was made until after it was answered.
struct Made {
    name: String,
    from: Instant,
    to: Instant,
    outcome: LoginOutcome,
}

/// A kill, from before the signal until the process was gone.
struct Kill {
    from: Instant,
    to: Instant,
}

impl Made {
    fn is_right(&self) -> bool {
        match &self.outcome {
            LoginOutcome::Found(profile) => profile["user_id"] == format!("s|{}", self.name),
            LoginOutcome::WrongPassword { user, .. } => user.as_ref() == Some(&self.name),
            _ => false,
        }
    }

    fn was_in_flight(&self, kills: &[Kill]) -> bool {
        let overlaps = |kill: &Kill| self.from <= kill.to && kill.from <= self.to;
        kills.iter().any(overlaps)
    }
}

async fn call(pool: &ScriptPool, program: &Arc<Program>, name: String) -> Made {
    let from = Instant::now();
    let outcome = pool
        .login(program, &name, &Password::from("p"))
        .await
        .outcome;
    let to = Instant::now();
    Made {
        name,
        from,
        to,
        outcome,
    }
}

/// Calls until it is told to stop.
async fn load(
    pool: ScriptPool,
    program: Arc<Program>,
    caller: usize,
    stop: Arc<AtomicBool>,
) -> Vec<Made> {
    let mut made = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let name = format!("{}/{caller}-{}", program.connection, made.len());
        made.push(call(&pool, &program, name).await);
    }
    made
}

/// This process's workers that live.
fn workers() -> Vec<Pid> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let lists = tasks.flat_map(|task| std::fs::read_to_string(task.path().join("children")));
    let numbers: Vec<i32> = lists
        .flat_map(|list| {
            let numbers = list
                .split_whitespace()
                .map(|number| number.parse().unwrap());
            numbers.collect::<Vec<i32>>()
        })
        .collect();
    let is_worker = |number: &i32| {
        let program = std::fs::read_link(format!("/proc/{number}/exe"));
        program.is_ok_and(|program| program == launcher())
    };
    let living = numbers.into_iter().filter(is_worker);
    living.filter_map(Pid::from_raw).collect()
}

/// Whether a process has ended; somebody may not have taken note yet. Its program and memory go
/// some time before its sockets, so only its state tells; and its sockets go with the last of its
/// threads, which may outlive the first.
fn is_gone(pid: Pid) -> bool {
    let place = format!("/proc/{}", pid.as_raw_nonzero());
    let stat = std::fs::read_to_string(format!("{place}/stat"));
    let threads = std::fs::read_dir(format!("{place}/task")).map_or(0, Iterator::count);
    // The state follows the name, which is in brackets and may hold anything.
    let state = stat.ok().and_then(|stat| {
        let (_, rest) = stat.rsplit_once(") ")?;
        rest.chars().next()
    });
    state.is_none() || matches!(state, Some('Z' | 'X')) && threads <= 1
}

/// Kills some worker every now and then.
fn kill_for(time: Duration) -> Vec<Kill> {
    let (start, mut kills, mut dice) = (Instant::now(), Vec::new(), 7_usize);
    while start.elapsed() < time {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let alive = workers();
        if let Some(victim) = alive.get((dice >> 33) % alive.len().max(1)) {
            let from = Instant::now();
            // It may have ended by itself.
            let _ = kill_process(*victim, Signal::KILL);
            while !is_gone(*victim) {
                std::thread::yield_now();
            }
            let to = Instant::now();
            kills.push(Kill { from, to });
        }
        // Not a wait for something: the rhythm of the killing.
        std::thread::sleep(Duration::from_millis(50 + (dice >> 40) as u64 % 300));
    }
    kills
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_killed_at_random_cost_the_calls_in_flight_and_no_others() {
    let pool = ScriptPool::new(settings(Engine::Embedded));
    let stop = Arc::new(AtomicBool::new(false));
    let programs: Vec<_> = (0..CONNECTIONS)
        .map(|index| login_script(&format!("con_{index}"), ECHO))
        .collect();
    let mut callers = JoinSet::new();
    for program in &programs {
        for caller in 0..CALLERS {
            let (program, stop) = (Arc::clone(program), Arc::clone(&stop));
            callers.spawn(load(pool.clone(), program, caller, stop));
        }
    }
    let killer = tokio::task::spawn_blocking(|| kill_for(KILLING));
    let kills = killer.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let made: Vec<Made> = callers.join_all().await.into_iter().flatten().collect();

    let mut lost = 0;
    for call in &made {
        if call.is_right() {
            continue;
        }
        lost += 1;
        let LoginOutcome::Failed(failure) = &call.outcome else {
            panic!("{}: {:?}", call.name, call.outcome)
        };
        let is_outage = matches!(
            failure.kind,
            FailureKind::Crashed | FailureKind::Unavailable
        );
        assert!(is_outage, "{}: {failure}", call.name);
        assert!(call.was_in_flight(&kills), "{}: {failure}", call.name);
    }
    assert!(kills.len() > 50 && made.len() > 1000, "too little happened");
    assert!(lost > 0, "no call was hit");
    assert!(lost <= kills.len(), "{lost} lost by {} kills", kills.len());
    let (calls, dead) = (made.len(), kills.len());
    let mut out = std::io::stdout();
    writeln!(
        out,
        "kills: {calls} calls, {dead} workers killed, {lost} calls lost, all in flight"
    )
    .unwrap();

    for (index, program) in programs.iter().cycle().take(100).enumerate() {
        let name = format!("after-{index}");
        let call = call(&pool, program, name).await;
        assert!(call.is_right(), "{:?}", call.outcome);
    }
}
