package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.List;
import org.kfac4j.Snapshot;

/** Workers in this JVM, for the maps of one refresh. */
record LocalWorkers(List<LinearMap> maps) implements LayerWorkers, LayerWorkers.Made {
  LocalWorkers() {
    this(new ArrayList<>());
  }

  @Override
  public Made make(List<LayerTask> tasks) {
    tasks.forEach(task -> maps.add(task.make()));
    return this;
  }

  @Override
  public int[] recoveries() {
    return maps.stream().mapToInt(LinearMap::recoveries).toArray();
  }

  @Override
  public List<double[]> apply(List<double[]> parts) {
    List<double[]> results = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      double[] result = new double[parts.get(i).length];
      maps.get(i).apply(parts.get(i), 0, result);
      results.add(result);
    }
    return results;
  }

  @Override
  public List<Snapshot> save() {
    List<Snapshot> saved = new ArrayList<>();
    for (LinearMap map : maps) {
      Snapshot snapshot = new Snapshot();
      map.save(snapshot, "");
      saved.add(snapshot);
    }
    return saved;
  }

  /** Closing one map closes all, as often as there are maps. */
  @Override
  public void close() {
    maps.forEach(LinearMap::close);
    maps.clear();
  }
}
