"""The demo clinic: a doctor, six patients and some days of conversation, made through the services."""


async def load(backend): ...
