package org.kfac4j.jobs;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;

/**
 * The runs that {@code compare.optimizers} asks for.
 *
 * @param optimizer its name
 * @param point the grid's settings of this run, "" without a grid
 * @param folder name of the run's folder
 * @param settings all of them
 */
record ComparePlan(String optimizer, String point, String folder, Settings settings) {
  private static final String KEY = "compare.optimizers";

  /**
   * All runs in order.
   *
   * @throws InvalidInputException naming the optimizer, the key and the rule of what does not fit
   */
  static List<ComparePlan> of(Settings shared) {
    List<ComparePlan> plans = new ArrayList<>();
    Set<String> folders = new TreeSet<>();
    for (OptimizerGrid optimizer : OptimizerGrid.of(shared, KEY)) {
      String name = optimizer.name();
      for (SortedMap<String, String> point : optimizer.points()) {
        String label = OptimizerGrid.label(point);
        String folder = OptimizerGrid.folder(label.isEmpty() ? name : name + " " + label);
        InvalidInputException.require(
            folders.add(folder), "%s: two runs would have the folder %s", KEY, folder);
        try {
          plans.add(new ComparePlan(name, label, folder, optimizer.at(shared, point)));
        } catch (InvalidInputException e) {
          throw new InvalidInputException(KEY + " \"" + name + "\": " + e.getMessage(), e);
        }
      }
    }
    return plans;
  }
}
