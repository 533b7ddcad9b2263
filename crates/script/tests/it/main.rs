//! The pool with real workers, of both runtimes where nothing else is said. Every test has its own pool; what must happen in an order is
//! ordered by sockets that scripts open, never by sleeping.

#[cfg(test)]
mod actions;
#[cfg(test)]
mod ask;
#[cfg(test)]
mod contain;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod errors;
#[cfg(test)]
#[cfg(feature = "fuzzing")]
mod fuzz;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod late;
#[cfg(test)]
mod lifetime;
#[cfg(test)]
mod modules;
#[cfg(test)]
mod older_kernels;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod shapes;
