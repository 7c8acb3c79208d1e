//! The simulated AWS: EKS, EC2, IAM, Auto Scaling, STS and Elastic Load Balancing on one port.
