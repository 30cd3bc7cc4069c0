"""Records of a TensorBoard event file as TensorBoard's own messages write them, and how it reads them again.

    python tensorboard_events.py > Tests/LatentStorageTests/Resources/tensorboard-events.json

Needs the package `tensorboard`. Each entry is the whole record in hexadecimal: length, checksums, message.
"""

import json
import struct

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

TIME = 1_700_000_000.0


def record(event):
    data = event.SerializeToString(deterministic=True)
    length = struct.pack("<Q", len(data))
    crc = lambda b: struct.pack("<I", masked_crc32c(b))
    return (length + crc(length) + data + crc(data)).hex()


def event(step=0, **fields):
    e = event_pb2.Event(wall_time=TIME, **fields)
    e.step = step
    return e


def value(**fields):
    return summary_pb2.Summary.Value(**fields)


def hparams(name, data):
    metadata = summary_pb2.SummaryMetadata()
    metadata.plugin_data.plugin_name = "hparams"
    metadata.plugin_data.content = data.SerializeToString(deterministic=True)
    tensor = tensor_pb2.TensorProto(dtype=1)
    tensor.tensor_shape.SetInParent()
    return event(summary=summary_pb2.Summary(value=[value(tag=f"_hparams_/{name}", tensor=tensor, metadata=metadata)]))


def main():
    histo = summary_pb2.HistogramProto(min=1, max=3, num=4, sum=8, sum_squares=20,
                                       bucket_limit=[2.0, 3.0], bucket=[2, 2])
    text = tensor_pb2.TensorProto(dtype=7, string_val=[b"**bold**"])
    text.tensor_shape.dim.add(size=1)
    metadata = summary_pb2.SummaryMetadata()
    metadata.plugin_data.plugin_name = "text"
    experiment = plugin_data_pb2.HParamsPluginData(experiment=api_pb2.Experiment(
        time_created_secs=TIME,
        hparam_infos=[api_pb2.HParamInfo(name="model", type=1), api_pb2.HParamInfo(name="rate", type=3)],
        metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag="train/loss"))]))
    start = plugin_data_pb2.SessionStartInfo(start_time_secs=TIME)
    start.hparams["model"].string_value = "mlp"
    start.hparams["rate"].number_value = 0.25
    session = plugin_data_pb2.HParamsPluginData(session_start_info=start)
    print(json.dumps({
        "version": record(event(file_version="brain.Event:2")),
        "restart": record(event(7, session_log=event_pb2.SessionLog(status=1))),
        "scalars": record(event(3, summary=summary_pb2.Summary(value=[
            value(tag="train/loss", simple_value=1.5), value(tag="train/kl", simple_value=-2.0)]))),
        "histogram": record(event(300, summary=summary_pb2.Summary(value=[value(tag="weights", histo=histo)]))),
        "text": record(event(1, summary=summary_pb2.Summary(value=[
            value(tag="note/text_summary", tensor=text, metadata=metadata)]))),
        "experiment": record(hparams("experiment", experiment)),
        "session": record(hparams("session_start_info", session)),
    }, indent=1))


if __name__ == "__main__":
    main()
