//! AWS against software that others wrote: moto, botocore, the aws command line, kubectl.
