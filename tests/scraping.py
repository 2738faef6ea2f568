"""What a scrape of the metrics says, read as Prometheus reads it."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from carechat import metrics


def read(page: str, name: str, **labels: str) -> float:
    """Return the sum of the samples of that name with those labels; 0 if there are none."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def here(name: str, **labels: str) -> float:
    """Return what this process has counted; reads no file."""
    return read(generate_latest(metrics.registry).decode(), name, **labels)


class Rise:
    """How much something has risen since this was made; it never says what it was before."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._before = here(name, **labels)

    def __call__(self) -> float:
        """Return by how much until now."""
        return here(self._name, **self._labels) - self._before
