//! One HTTP client for every cloud: signing hook, time limits, retries, request budget, tracing, redaction, record of exchanges.
