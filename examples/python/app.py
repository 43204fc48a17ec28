"""A service with one guarded route.

    PYTHONPATH=gen LATCHKEY_ADDRESS=127.0.0.1:7070 .venv/bin/uvicorn app:app --no-proxy-headers --port 8080
"""

from contextlib import asynccontextmanager

import grpc.aio
from fastapi import Depends, FastAPI

from latchkey.v1.validation_pb2_grpc import ValidationServiceStub
from latchkey_client import connect
from latchkey_fastapi import Require


@asynccontextmanager
async def lifespan(application):
    async with connect(grpc.aio) as channel:
        application.state.validator = ValidationServiceStub(channel)
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/charges")
async def list_charges(caller=Depends(Require("charges.read"))):
    return f"the charges of {caller.company_id}, read by {caller.token_id}"
