"""What the integration tests share: Sluice as a process, backends that misbehave, clients, the
kernel's own counts."""
