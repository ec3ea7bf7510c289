"""People who want to know when their message goes out."""

from locust import constant_throughput, task

from loadtests.users.service import ServiceUser


class Poller(ServiceUser):
    """Asks for the ETA of a message that was acknowledged lately, and for the queue."""

    fixed_count = 2
    wait_time = constant_throughput(2)

    @task(5)
    def eta(self) -> None:
        """Ask for one message."""
        if self.crowd.recent:
            id_ = self.crowd.chance.choice(self.crowd.recent)
            self.ask("GET", f"/v1/messages/{id_}", name="/v1/messages/{id}")

    @task(1)
    def queue(self) -> None:
        """Ask how the queue stands."""
        self.ask("GET", "/v1/queue")
