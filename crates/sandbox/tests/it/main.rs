//! The embedded worker as its host sees it: a process, a socket, frames.

#[cfg(test)]
mod containment;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod crypto;
#[cfg(test)]
mod lifetime;
#[cfg(test)]
mod net;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod results;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod services;
#[cfg(test)]
mod settling;
#[cfg(test)]
mod timing;
#[cfg(test)]
mod tls;
