//! What the integration tests share: a packet builder, the host oracle, the plain model.
