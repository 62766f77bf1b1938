package org.kfac4j.spark;

import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Snapshot;
import org.kfac4j.linalg.Blas;
import org.kfac4j.optimizer.LayerTask;
import org.kfac4j.optimizer.LinearMap;

/** A layer's map in an executor's memory. Where Spark moves it, its numbers move. */
public final class KeptMap implements Externalizable {
  private static final long serialVersionUID = 1L;

  private int index;
  private @Nullable LayerTask task;
  private @Nullable LinearMap map;

  /** For deserialization. */
  public KeptMap() {}

  KeptMap(int index, LayerTask task) {
    this.index = index;
    // Of the task only what makes a map of its numbers: the statistics stay in the broadcast.
    this.task = task.withoutStatistics();
    this.map = task.make();
  }

  int index() {
    return index;
  }

  int recoveries() {
    return made().recoveries();
  }

  private LinearMap made() {
    if (map == null) {
      throw new IllegalStateException("a map has not been read yet");
    }
    return map;
  }

  /** One at a time: maps work in buffers of their own. */
  synchronized double[] apply(double[] part) {
    Blas.useThreads(1);
    Blas.useGpu(null); // Of a task of another stage.
    double[] result = new double[part.length];
    made().apply(part, 0, result);
    return result;
  }

  /**
   * Gives native memory back, after whoever is using it: a speculative copy of a task may outlive
   * its stage. The map is then of no more use.
   */
  synchronized void free() {
    made().close();
  }

  /** What the map saves, by name. */
  Map<String, Object> numbers() {
    Snapshot snapshot = new Snapshot();
    made().save(snapshot, "");
    return new LinkedHashMap<>(snapshot.entries());
  }

  static Snapshot snapshot(Map<String, Object> numbers) {
    Snapshot snapshot = new Snapshot();
    numbers.forEach(snapshot::putAny);
    return snapshot;
  }

  @Override
  public void writeExternal(ObjectOutput out) throws IOException {
    out.writeInt(index);
    out.writeObject(task);
    out.writeObject(numbers());
  }

  @Override
  @SuppressWarnings("unchecked")
  public void readExternal(ObjectInput in) throws IOException, ClassNotFoundException {
    index = in.readInt();
    LayerTask read = (LayerTask) in.readObject();
    task = read;
    map = read.restore(snapshot((Map<String, Object>) in.readObject()));
  }
}
