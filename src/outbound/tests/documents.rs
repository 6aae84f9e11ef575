//! What is kept, for how long, and who asks the source.
