"""The replica set of one that the embedded mongod is, and CareChat's user in it."""

import logging
from typing import Any
from urllib.parse import quote_plus

import pymongo
from pymongo import errors

from carechat.storage import mongod

USER = "carechat"
ROLES = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"]
AUTHENTICATION_FAILED = 18

Client = pymongo.MongoClient[dict[str, Any]]
logger = logging.getLogger(__name__)


def uri(files: mongod.Files, address: str) -> str:
    """Where CareChat connects, its password included."""
    return _uri(address, USER, files.password.read_text(), "admin")


def _uri(address: str, user: str, password: str, source: str) -> str:
    # Direct: a driver that asks the set for its members gets the socket's path in lower case.
    return (
        f"mongodb://{user}:{password}@{quote_plus(address, safe=':')}/"
        f"?authSource={source}&directConnection=true"
    )


def _client(where: str) -> Client:
    return pymongo.MongoClient(where, serverSelectionTimeoutMS=2000, socketTimeoutMS=20_000)


def set_up(files: mongod.Files, address: str) -> bool:
    """Whether the set and the user are there and writes are taken; makes what is missing."""
    with _client(_uri(address, "__system", files.key.read_text(), "local")) as system:
        try:
            return _is_primary(system, address) and _admits(system, files, address)
        except errors.PyMongoError as error:
            logger.debug("MongoDB is not ready: %s", type(error).__name__)
            return False


def _is_primary(system: Client, address: str) -> bool:
    config = system["local"]["system.replset"].find_one()
    member = {"_id": 0, "host": address}
    if config is None:
        system.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
    elif config["members"][0]["host"] != address:
        # The data directory was moved, or its port is taken by something else now.
        moved = {**config, "version": config["version"] + 1, "members": [member]}
        system.admin.command("replSetReconfig", moved, force=True)
    return bool(system.admin.command("hello").get("isWritablePrimary"))


def _admits(system: Client, files: mongod.Files, address: str) -> bool:
    password = files.password.read_text()
    try:
        with _client(uri(files, address)) as ours:
            ours.admin.command("ping")
    except errors.OperationFailure as error:
        if error.code != AUTHENTICATION_FAILED:
            raise
        known = system.admin.command("usersInfo", USER)["users"]
        system.admin.command(
            "updateUser" if known else "createUser", USER, pwd=password, roles=ROLES
        )
    return True
