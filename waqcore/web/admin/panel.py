"""What every page works with: the queue, who may see it, and what is shared by all of them."""

from litestar.response import Redirect

from waqcore.people import People
from waqcore.queue import Queue
from waqcore.web.admin.live import Live
from waqcore.web.admin.look import Look
from waqcore.web.admin.page import Flash, Pages
from waqcore.web.admin.seal import Seal
from waqcore.web.admin.session import AdminRequest, visitor
from waqcore.web.admin.throttle import Throttle
from waqcore.web.admin.trials.run import Trials
from waqcore.web.backend import Backend


class Panel:
    """The dashboard of one queue, in this process."""

    def __init__(self, backend: Backend) -> None:
        queue, settings = backend.queue, backend.settings
        self.backend = backend
        self.people = People(queue.store, settings.admin_password)
        self.seal = Seal(self.people.key)
        self.throttle = Throttle(queue.store)
        self.pages = Pages(self.seal, settings.zone())
        self.live = Live(Look(queue), self.pages.parts, backend)
        self.trials = Trials(settings, backend.closing.is_set)

    def acting(self, request: AdminRequest) -> Queue:
        """The queue on behalf of whoever sent a request."""
        return self.backend.queue.acting_as(visitor(request).actor)

    def told(self, request: AdminRequest, flash: Flash, to: str) -> Redirect:
        """Go to a page of ours, which tells what became of a button and shows how it is now."""
        self.live.forget()
        return self.pages.told(request, flash, to)
