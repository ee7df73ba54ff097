"""The same worlds by a Ray cluster, for those who outgrow one machine; all its machines see the same folders.

A task is a photo: its worlds are those of `batch.pool`. Only so many photos are under way as the cluster has cores, and
one more each, so that a large batch does not fill Ray's memory. A task whose worker died is run again.
"""

from collections.abc import Generator, Sequence
from typing import Any

from sonoworld.batch.pool import ATTEMPTS, Answer, Order
from sonoworld.batch.worker import ONE_THREAD, Outcome, Request, made, one_thread
from sonoworld.weights import library

AHEAD = 2
"""Photos under way for every core of the cluster."""


def ray_cluster(orders: Sequence[Order], address: str, *, gpus: float = 0.0) -> Generator[Answer]:
    """Have all orders done by the cluster at this address; "local" starts one on this machine, and ends it.

    `gpus` is the share of a GPU that one photo needs: 0.5 puts two on each.

    Raises:
        BackendMissingError: Ray is not installed.
        ConnectionError: there is no cluster at this address.
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
    make = ray.remote(
        num_cpus=1,
        num_gpus=gpus,
        max_retries=ATTEMPTS - 1,
        runtime_env={"env_vars": ONE_THREAD},
    )(_task)
    most = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
    waiting, under_way = list(reversed(orders)), dict[Any, Order]()
    try:
        while waiting or under_way:
            while waiting and len(under_way) < most:
                order = waiting.pop()
                under_way[make.remote(order.request)] = order
            (ready, *_), _ = ray.wait(list(under_way), num_returns=1)
            yield _answer(ray, ready, under_way.pop(ready))
    finally:
        for task in under_way:
            ray.cancel(task, force=True)


def _task(request: Request) -> tuple[float, str, str]:
    one_thread()
    outcome = made(request)
    return outcome.seconds, outcome.digest, outcome.error


def _answer(ray: Any, task: Any, order: Order) -> Answer:
    try:
        return Answer(order.id, Outcome(*ray.get(task)))
    except ray.exceptions.RayError as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
        return Answer(order.id, Outcome(0.0, error=f"Ray lost the worker that made this world ({said})"), ATTEMPTS)
