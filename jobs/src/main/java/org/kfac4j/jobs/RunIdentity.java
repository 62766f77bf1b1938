package org.kfac4j.jobs;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.kfac4j.InvalidInputException;
import org.kfac4j.Settings;
import org.kfac4j.Snapshot;
import org.kfac4j.network.Dl4jModel;

/**
 * What has to be the same when a run is resumed, because its checkpoints mean nothing without it.
 *
 * @param model configuration, as JSON
 * @param settings of {@link #KEYS}
 */
record RunIdentity(String model, Map<String, String> settings) {
  private static final List<String> KEYS =
      List.of(
          "optimizer.name",
          "optimizer.preconditioner",
          "optimizer.step",
          "curvature.damping",
          // What running averages are averages of.
          "curvature.weight-sharing",
          "curvature.scales",
          "curvature.widest-factor",
          "curvature.wide-factors");

  private static final String MODEL = "model";
  private static final String SETTING = "setting ";

  static RunIdentity of(Settings settings, Dl4jModel model) {
    Map<String, String> values = new TreeMap<>();
    Map<String, String> all = settings.flat();
    KEYS.forEach(key -> values.put(key, all.getOrDefault(key, "")));
    return new RunIdentity(model.json(), values);
  }

  Snapshot addTo(Snapshot snapshot) {
    snapshot.put(MODEL, model);
    settings.forEach((key, value) -> snapshot.put(SETTING + key, value));
    return snapshot;
  }

  /**
   * @param dir of the run, for messages
   * @throws InvalidInputException naming what is not as it was when {@code saved} was saved
   */
  void check(Snapshot saved, String dir) {
    settings.forEach(
        (key, value) -> {
          String before = saved.text(SETTING + key);
          InvalidInputException.require(
              value.equals(before),
              "--resume: %s must be %s as in the checkpoint in %s, got %s",
              key,
              before,
              dir,
              value);
        });
    InvalidInputException.require(
        model.equals(saved.text(MODEL)),
        "--resume: the model must be that of the checkpoint in %s, got one of other layers",
        dir);
  }
}
