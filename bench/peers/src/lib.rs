//! Nothing: this package exists for the dependencies in its manifest.
