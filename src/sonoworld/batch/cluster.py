"""The same worlds by a Ray cluster, for those who outgrow one machine; all its machines see the same folders.

A task is a photo: its worlds are those of `batch.pool`. Only so many photos are under way as the cluster has cores, and
one more each, so that a large batch does not fill Ray's memory. A task whose worker died is run again, where there is
room. Models live in actors beside the tasks (`batch.places`).
"""

from collections import deque
from collections.abc import Generator, Sequence
from typing import Any

from sonoworld.batch.places import Hired, hired
from sonoworld.batch.pool import ATTEMPTS, Answer, Order
from sonoworld.batch.worker import ONE_THREAD, Outcome, Request, made, one_thread
from sonoworld.recipe import load
from sonoworld.weights import library

AHEAD = 2
"""Photos under way for every core of the cluster."""


def ray_cluster(orders: Sequence[Order], address: str, *, gpus: float = 0.0) -> Generator[Answer]:
    """Have all orders done by the cluster at this address; "local" starts one on this machine, and ends it.

    All orders have the same recipe and settings. `gpus` is the share of a GPU that every place for models has: 0.5 puts
    two on each. Without it no GPU is used.

    Raises:
        BackendMissingError: Ray is not installed.
        ConnectionError: there is no cluster at this address.
        InputError: the cluster has no such share, or the recipe no use for it.
    """
    ray: Any = library("ray", "cluster")
    ours = not ray.is_initialized()
    if ours:
        # tasks of another Python or sonoworld than the head's would make other worlds: nothing is shipped, all have it
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    try:
        yield from _spread(ray, orders, gpus)
    finally:
        if ours:
            ray.shutdown()


def _spread(ray: Any, orders: Sequence[Order], gpus: float) -> Generator[Answer]:
    if not orders:
        return
    first = orders[0].request
    places = hired(ray, load(first.recipe, first.settings), gpus, ONE_THREAD) if gpus else None
    make = ray.remote(num_cpus=1, max_retries=0, runtime_env={"env_vars": ONE_THREAD})(_make_world)
    waiting = deque((order, 1) for order in orders)
    under_way = dict[Any, tuple[Order, int]]()
    try:
        while waiting or under_way:
            most = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))  # machines come and go
            while waiting and len(under_way) < most:
                order, attempt = waiting.popleft()
                under_way[make.remote(order.request, places)] = order, attempt
            (ready, *_), _ = ray.wait(list(under_way), num_returns=1)
            order, attempt = under_way.pop(ready)
            outcome, lost = _outcome(ray, ready)
            if lost and attempt < ATTEMPTS:
                waiting.appendleft((order, attempt + 1))
            else:
                yield Answer(order.id, outcome, attempt)
    finally:
        for task in under_way:
            ray.cancel(task, force=True)


def _make_world(request: Request, places: Hired | None) -> tuple[float, str, str]:
    one_thread()
    models = None if places is None else places.models(library("ray", "cluster"), request.out)
    outcome = made(request, models)
    return outcome.seconds, outcome.digest, outcome.error


def _outcome(ray: Any, task: Any) -> tuple[Outcome, bool]:
    """What a task said, or that its worker was lost."""
    try:
        return Outcome(*ray.get(task)), False
    except ray.exceptions.RayError as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        return Outcome(0.0, error=f"Ray lost the worker that made this world ({said})"), True
