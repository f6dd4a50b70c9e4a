"""What dashboards and rules are made from."""
