"""What people do with contracts and renewals."""
