//! Each library as its users would set it up for the same function. What is measured of it is not
//! here.

pub(crate) mod amalgam;
pub(crate) mod cached;
pub(crate) mod cachekit;
pub(crate) mod hitbox;
pub(crate) mod moka;
pub(crate) mod ours;
pub(crate) mod quick;
