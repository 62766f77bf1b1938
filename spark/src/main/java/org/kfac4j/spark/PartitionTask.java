package org.kfac4j.spark;

import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import org.kfac4j.curvature.ComputeBackend;
import org.kfac4j.curvature.Parameters;
import org.kfac4j.curvature.PartitionPass;
import org.kfac4j.curvature.Request;
import org.kfac4j.curvature.Sums;
import org.kfac4j.data.Augmentation;
import org.kfac4j.data.Examples;
import org.kfac4j.network.Network;

/** What a task computes of its partition: all that travels to it. */
record PartitionTask(
    Devices devices,
    ComputeBackend backend,
    Network network,
    Request request,
    Shared<Parameters> weights,
    List<Shared<Parameters>> vectors,
    Augmentation augmentation)
    implements Serializable {
  PartitionTask {
    vectors = List.copyOf(vectors);
  }

  Sums run(Iterator<Examples> partition) {
    devices.bind();
    return PartitionPass.run(
        backend,
        network,
        request,
        weights.value(),
        vectors.stream().map(Shared::value).toList(),
        augmentation,
        partition);
  }
}
